import { NO_FILTER } from '../../src/core/analytics.ts';
import type { AccountKey } from '../../src/core/ids.ts';
import { ANONYMOUS, apiKeyId, keyAccount, type RequestId, requestId, userAccount } from '../../src/core/ids.ts';
import type { RawChat } from '../../src/core/raw-chat.ts';
import { cursorOf } from '../../src/core/request-order.ts';
import type { RequestRecord } from '../../src/core/request-record.ts';
import { EVERYBODY } from '../../src/core/view.ts';
import { ADMIN_CALLER, ADMIN_LINE, type Caller, NOBODY, OPEN_CALLER } from '../../src/gateway/caller.ts';
import type { Store } from '../../src/ports/store.ts';
import { newUuid } from '../../src/wiring/system.ts';
import { keyed } from '../support/callers.ts';
import { eventually } from '../support/eventually.ts';
import { type GatewayKit, makeGatewayKit, usd } from '../support/gateway-kit.ts';
import { makeModel, makeProvider, makeRegistry } from '../support/registries.ts';

/** Two who come with keys, and requests of the time before there were any. */
export const OWNERS = ['A', 'B', 'nobodys'] as const;
export type Owner = (typeof OWNERS)[number];

const SCOPES = ['chat', 'requests:read'] as const;

export const CALLERS = {
  nobody: NOBODY,
  A: keyed(SCOPES, { id: apiKeyId('keyOfCallerA'), userId: 'user-of-a' }),
  B: keyed(SCOPES, { id: apiKeyId('keyOfCallerB'), userId: 'user-of-b' }),
  admin: ADMIN_CALLER,
} as const satisfies Record<string, Caller>;
export type CallerName = keyof typeof CALLERS;

const SENDERS: Readonly<Record<Owner, Caller>> = { A: CALLERS.A, B: CALLERS.B, nobodys: OPEN_CALLER };
const USERS: Readonly<Record<Owner, string | null>> = { A: 'user-of-a', B: 'user-of-b', nobodys: null };

/** At `a` chats hang that are to be seen as they run, `b` answers. */
export const REGISTRY = makeRegistry(
  makeProvider('a', [makeModel('m', '1')]),
  makeProvider('b', [makeModel('n', '1')]),
);

/** What somebody may ask for who means one owner's things. Null: there is none. */
export interface Target {
  readonly owner: Owner | null;
  readonly ended: RequestId;
  readonly running: RequestId;
  readonly userId: string | null;
  readonly keyId: string | null;
  /** Of the newest ended request, in the log's default order. */
  readonly cursor: string | null;
  /** Under which a stream of the owner's has ended. */
  readonly idempotencyKey: string;
}

/** What nobody has. */
export const UNKNOWN: Target = {
  owner: null,
  ended: requestId(newUuid()),
  running: requestId(newUuid()),
  userId: 'user-of-x',
  keyId: 'keyOfCallerX',
  cursor: null,
  idempotencyKey: 'order-of-x',
};

export interface Scene {
  readonly kit: GatewayKit;
  targetOf(owner: Owner): Promise<Target>;
  /** One more chat of an owner's, to its end. */
  chat(owner: Owner): Promise<RequestId>;
  /** Ended requests, counted by who pays. */
  endedCount(payer: Owner | 'admin'): Promise<number>;
  /** What must not change by what others do. */
  fortuneOf(owner: Owner): Promise<unknown>;
  /** Texts that stand in nothing but what belongs to this owner. */
  marksOf(owner: Owner): readonly string[];
  /** Notes that a caller sent a request under this id. */
  noteSent(caller: CallerName, id: RequestId): void;
}

/** A chat that anybody could ask for in the same words, and with the same idempotency key. */
export const CHAT = { prompt: 'one and the same', routing: { only: ['b'] } } as const;

export async function makeScene(store?: Store): Promise<Scene> {
  const kit = makeGatewayKit({ registry: REGISTRY, ...(store === undefined ? {} : { store }) });
  const sent: Record<Owner, RequestId[]> = { A: [], B: [], nobodys: [] };
  const running: Partial<Record<Owner, RequestId>> = {};

  const callOf = (owner: Owner, raw: RawChat) => {
    const call = { ...kit.callOf(raw), caller: SENDERS[owner] };
    sent[owner].push(call.requestId);
    return call;
  };
  const recordsOf = async (owner: Owner | 'admin'): Promise<readonly RequestRecord[]> => {
    const page = { size: 200, direction: 'forward', cursor: null } as const;
    const order = { field: 'createdAt', direction: 'descending' } as const;
    const answer = await kit.store.page({ page, filter: NO_FILTER, order, view: EVERYBODY });
    const account = accountOf(owner);
    return answer.kind === 'page'
      ? answer.page.items.map(({ item }) => item).filter((record) => record.account === account)
      : [];
  };
  const chat = async (owner: Owner) => {
    const call = callOf(owner, { ...markedOf(owner), routing: { only: ['b'] } });
    await kit.gateway.chat(call);
    // A window that ends now does not hold what arrives now.
    kit.clock.advance(1);
    return call.requestId;
  };
  /** The chat of an owner's that runs now. */
  const keepRunning = async (owner: Owner): Promise<RequestId> => {
    const known = running[owner];
    if (known !== undefined && (await kit.gateway.findAnswered(known))?.status === 'running') return known;
    kit.provider('a').script({ kind: 'hang' });
    const call = callOf(owner, { ...markedOf(owner), routing: { only: ['a'] }, timeoutMs: 600_000 });
    void kit.gateway.chat(call);
    await eventually(async () => (await kit.gateway.findAnswered(call.requestId)) !== null);
    running[owner] = call.requestId;
    return call.requestId;
  };
  const scene: Scene = {
    kit,
    chat,
    noteSent(caller, id) {
      if (caller === 'A' || caller === 'B') sent[caller].push(id);
    },
    marksOf: (owner) => [
      ...sent[owner],
      `label-of-${owner}`,
      `conversation-of-${owner}`,
      ...(owner === 'nobodys' ? [] : [USERS[owner] ?? '', CALLERS[owner].key.id]),
    ],
    endedCount: async (owner) => (await recordsOf(owner)).length,
    async fortuneOf(owner) {
      const { posted, held, cap } = await kit.store.account(accountOf(owner));
      const id = running[owner];
      const chat = id === undefined ? null : await kit.gateway.findAnswered(id);
      const key = owner === 'nobodys' ? null : await kit.store.findKey(CALLERS[owner].key.id);
      return { posted, held, cap, key, chat: chat?.status, ended: await scene.endedCount(owner) };
    },
    async targetOf(owner) {
      const [newest] = await recordsOf(owner);
      return {
        owner,
        ended: newest!.id,
        running: await keepRunning(owner),
        userId: USERS[owner],
        keyId: owner === 'nobodys' ? null : CALLERS[owner].key.id,
        cursor: cursorOf(newest!, { field: 'createdAt', direction: 'descending' }),
        idempotencyKey: `order-of-${owner}`,
      };
    },
  };
  await fill(scene, callOf);
  for (const owner of OWNERS) await keepRunning(owner);
  return scene;
}

/** Each owner has as many requests as no other, so that sums tell who is in them. */
async function fill({ kit, chat }: Scene, callOf: (owner: Owner, raw: RawChat) => ReturnType<GatewayKit['callOf']>) {
  for (const { key } of [CALLERS.A, CALLERS.B]) {
    await kit.store.createKey({ ...key, hash: `of ${key.id}` }, { name: 'admin', reason: null });
  }
  for (const [index, owner] of OWNERS.entries()) {
    for (let count = 0; count <= 2 ** index; count += 1) await chat(owner);
    const { onDelta: _none, ...call } = callOf(owner, { ...CHAT, idempotencyKey: `order-of-${owner}` });
    for await (const _piece of kit.gateway.stream({ ...call, resumeAfter: null }));
    const userId = USERS[owner];
    const wish = { limit: usd('5.00'), period: 'total', resetUsage: false } as const;
    if (userId !== null) await kit.gateway.setBudget({ ...wish, holder: { level: 'user', id: userId } }, ADMIN_CALLER);
  }
}

function markedOf(owner: Owner): RawChat {
  const metadata = { label: `label-of-${owner}` };
  return { prompt: `prompt-of-${owner}`, metadata, conversationId: `conversation-of-${owner}` };
}

function accountOf(owner: Owner | 'admin'): AccountKey {
  if (owner === 'admin') return keyAccount(ADMIN_LINE);
  const userId = USERS[owner];
  return userId === null ? ANONYMOUS : userAccount(userId);
}
