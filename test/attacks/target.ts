import { expect } from 'vitest';
import type { ApiKeyId } from '../../src/core/ids.ts';
import { ADMIN_CALLER } from '../../src/gateway/caller.ts';
import type { KeyWish } from '../../src/gateway/key-directory.ts';
import { type OpenService, openService } from '../http/rest/rest-kit.ts';
import { eventually } from '../support/eventually.ts';
import { makeModel, makeProvider } from '../support/registries.ts';

/** What no answer to an attack is longer than. */
export const REPLY_BYTES_MAX = 2_048;
/** Generous: attackers, honest callers and the service share one process here. */
const HONEST_MS_P99_MAX = 1_500;
const HONEST_EVERY_MS = 50;
export const HONEST = 'honest';

const CHAT = `mutation { chat(input: { prompt: "${HONEST}", userId: "${HONEST}", routing: { only: ["one"] } }) { __typename } }`;

type Headers = Readonly<Record<string, string>>;

/** Somebody with a key has so many WebSockets, and no more. */
export const SOCKETS_PER_KEY = 20;

const WISH: KeyWish = {
  name: 'somebody',
  scopes: ['chat'],
  userId: null,
  teamId: null,
  expiresAtMs: null,
  limits: { requestsPerMinute: null, tokensPerMinute: null, concurrency: null },
};

/** The second one is for chats that are held, beside the honest caller's. */
const REGISTRY = {
  priceListVersion: 'attacks',
  providers: ['one', 'two'].map((key) =>
    makeProvider(key, [makeModel(`model-${key}`, '1', { maxOutputTokens: 100 })], { requestsPerMinute: 10_000 }),
  ),
};

/** What came back of one attack. */
export interface Reply {
  /** Of HTTP, or the code a WebSocket was closed with. Null: a connection that was closed without a word. */
  readonly status: number | null;
  readonly text: string;
}

/** A service that is attacked while somebody honest uses it all the time. */
export interface Target extends AsyncDisposable {
  readonly service: OpenService;
  readonly port: number;
  /** After each attack: nothing was run, no money moved, the service lives, and the honest caller noticed nothing. */
  expectUnharmed(): Promise<void>;
  /** After all attacks: the honest caller was answered fast throughout. */
  expectHonestlyServed(): void;
}

/** The same, of a service that lets in those with keys only. */
export interface GuardedTarget extends Target {
  readonly honest: NewKey;
  /** Makes a key for somebody else. */
  makeKey(over?: Partial<KeyWish>): Promise<NewKey>;
  /** Ends a key, as its operator would. */
  revoke(key: NewKey): Promise<void>;
}

export interface NewKey {
  readonly id: ApiKeyId;
  readonly secret: string;
}

export const ADMIN_KEY = '7f3a9c5e1b8d2f6047a1c3e5d7f90b2468ace013579bdf';

const PATIENCE = { headersMs: 1_000, requestMs: 2_000, checkEveryMs: 250 } as const;

export async function openTarget(): Promise<Target> {
  const service = await openService({ registry: REGISTRY }, { patience: PATIENCE });
  return attacked(service, { honest: {}, operator: {} });
}

export async function openGuardedTarget(): Promise<GuardedTarget> {
  const service = await openService(
    { registry: REGISTRY, adminKey: ADMIN_KEY },
    { patience: PATIENCE, auth: 'keys', socketsPerKey: SOCKETS_PER_KEY },
  );
  const { gateway } = service.kit;
  const makeKey = async (over: Partial<KeyWish> = {}): Promise<NewKey> => {
    const made = await gateway.createKey({ ...WISH, ...over }, ADMIN_CALLER);
    if (made.kind !== 'created') throw new RangeError(made.message);
    return { id: made.key.id, secret: made.secret };
  };
  const honest = await makeKey({ name: HONEST, userId: HONEST });
  const target = await attacked(service, { honest: bearer(honest.secret), operator: bearer(ADMIN_KEY) });
  return {
    ...target,
    honest,
    makeKey,
    revoke: async ({ id }) => void (await gateway.revokeKey({ id }, ADMIN_CALLER)),
  };
}

export const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });

/** A service that somebody honest begins to use. */
async function attacked(
  service: OpenService,
  headers: { readonly honest: Headers; readonly operator: Headers },
): Promise<Target> {
  const honest = startHonest(service, headers.honest);
  await eventually(async () => honest.tookMs.length > 0);
  return {
    service,
    port: service.port,
    async expectUnharmed() {
      expect(strangersServedBy(service)).toEqual([]);
      expect((await fetch(`${service.url}/livez`)).status).toBe(200);
      // Reads are sent away first while a replica is busy: then once more.
      let payers: readonly string[] | null = null;
      await eventually(async () => {
        payers = await payersAt(service, headers.operator);
        return payers !== null;
      });
      expect(payers).toEqual([HONEST]);
      expect(honest.failures).toEqual([]);
    },
    expectHonestlyServed() {
      const sorted = honest.tookMs.toSorted((one, other) => one - other);
      expect(sorted.length).toBeGreaterThan(10);
      expect(sorted[Math.floor(sorted.length * 0.99)]).toBeLessThan(HONEST_MS_P99_MAX);
      expect(honest.failures).toEqual([]);
    },
    async [Symbol.asyncDispose]() {
      await honest.stop();
      await service[Symbol.asyncDispose]();
    },
  };
}

/** A chat each 50 ms, whatever happens. */
function startHonest({ url }: OpenService, headers: Headers) {
  const tookMs: number[] = [];
  const failures: string[] = [];
  const running = new Set<Promise<void>>();
  const chat = async () => {
    const startedAtMs = performance.now();
    const answer = await ask(url, CHAT, headers).catch((error: unknown) => String(error));
    tookMs.push(performance.now() - startedAtMs);
    if (!answer.includes('"ChatSuccess"')) failures.push(answer);
  };
  const timer = setInterval(() => {
    const one = chat().finally(() => running.delete(one));
    running.add(one);
  }, HONEST_EVERY_MS);
  return {
    tookMs,
    failures,
    async stop() {
      clearInterval(timer);
      await Promise.all(running);
    },
  };
}

/** What providers were asked by anybody but those who say that they are honest. */
function strangersServedBy({ kit }: OpenService): readonly string[] {
  const calls = REGISTRY.providers.flatMap(({ key }) => kit.provider(key).calls);
  const prompts = calls.map(({ prompt }) =>
    prompt.messages
      .flatMap(({ parts }) => parts)
      .map((part) => JSON.stringify(part))
      .join(),
  );
  return prompts.filter((text) => !text.includes(`"${HONEST}"`));
}

/** Null: not told now. */
async function payersAt({ url }: OpenService, headers: Headers): Promise<readonly string[] | null> {
  const text = await ask(url, '{ budgets(first: 200) { nodes { userId spentUsd reservedUsd } } }', headers);
  const { data } = JSON.parse(text);
  if (data === undefined) return null;
  return data.budgets.nodes
    .filter((budget: Record<string, string>) => Number(budget.spentUsd) + Number(budget.reservedUsd) > 0)
    .map((budget: Record<string, string>) => budget.userId);
}

async function ask(url: string, query: string, own: Headers): Promise<string> {
  const headers = { 'content-type': 'application/json', ...own };
  const response = await fetch(`${url}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query }) });
  return response.text();
}
