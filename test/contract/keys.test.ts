import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KEY_LIMITS, type KeyClaim, type KeyEnd } from '../../src/core/idempotency.ts';
import { ANONYMOUS, type RequestId, replicaId, requestId, userAccount } from '../../src/core/ids.ts';
import { epochMs } from '../../src/core/time.ts';
import type { IdempotencyPort } from '../../src/ports/idempotency.ts';
import type { Store } from '../../src/ports/store.ts';
import { makeMemoryKeys } from '../../src/store/memory/idempotency.ts';
import { SILENT_LOG } from '../fakes/log.ts';
import { openTestStore } from '../support/open-test-store.ts';
import { makeModel, makeProvider, makeRegistry } from '../support/registries.ts';
import { makeStoreDatabase, type StoreDatabase } from '../support/store-database.ts';

const START = epochMs(Date.UTC(2026, 0, 30, 23, 59, 0));
const ACCOUNTS = [userAccount('ann'), ANONYMOUS];
const LEASE_MS = 31_000;

let database: StoreDatabase;
let store: Store;

beforeAll(async () => {
  database = await makeStoreDatabase(START);
  store = await openTestStore({
    kind: 'postgres',
    url: database.url,
    registry: makeRegistry(makeProvider('a', [makeModel('m', '1')])),
    replica: replicaId('replica-1'),
    log: SILENT_LOG,
  });
});

afterAll(async () => {
  await store[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

function idOf(step: number): RequestId {
  return requestId(`00000000-0000-7000-8000-${String(step).padStart(12, '0')}`);
}

/** `request` and `awaited` point at the n-th newest request that ever asked for a key; -1 is a new one, and nobody. */
type Command =
  | {
      readonly kind: 'claim';
      readonly account: number;
      readonly key: string;
      readonly body: string;
      readonly leaseMs: number;
      readonly request: number;
      readonly awaited: number;
    }
  | {
      readonly kind: 'end';
      readonly account: number;
      readonly key: string;
      readonly request: number;
      readonly end: KeyEnd;
    }
  | { readonly kind: 'forget' }
  | { readonly kind: 'wait'; readonly ms: number };

/** Texts that a database could bend: they must come back as they were. */
const outcomes = fc.constantFrom('{"kind":"answered"}', JSON.stringify({ text: 'NUL \0, half a pair \ud800, ✓' }));
const place = { account: fc.nat(ACCOUNTS.length - 1), key: fc.constantFrom('one', 'one', 'two ~') };

const commands = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('claim'),
        ...place,
        body: fc.constantFrom('a', 'a', 'a', 'b'),
        leaseMs: fc.constantFrom(1_000, LEASE_MS),
        request: fc.constantFrom(-1, -1, -1, -1, 0, 1),
        awaited: fc.constantFrom(-1, 0, 0, 1, 2),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('end'),
        ...place,
        request: fc.constantFrom(0, 0, 0, 1, 2),
        end: fc.oneof(
          fc.record({ kind: fc.constant('kept'), outcome: outcomes }),
          fc.record({ kind: fc.constant('freed'), outcome: fc.option(outcomes, { freq: 3 }) }),
        ),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('forget') }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('wait'),
        ms: fc.constantFrom(1, 999, 1_000, LEASE_MS, KEY_LIMITS.toldMs, KEY_LIMITS.keptMs - 1, KEY_LIMITS.keptMs),
      }),
    },
  ) as fc.Arbitrary<Command>,
  { minLength: 5, maxLength: 40 },
);

/** Runs one command on one store. `asked` are the requests so far, newest first. */
async function run(keys: IdempotencyPort, command: Command, asked: readonly RequestId[]): Promise<unknown> {
  switch (command.kind) {
    case 'claim': {
      const { key, body: bodyHash, leaseMs, request, awaited } = command;
      return keys.claimKey({
        account: ACCOUNTS[command.account]!,
        key,
        bodyHash,
        requestId: asked[Math.max(request, 0)] ?? asked[0]!,
        leaseMs,
        awaited: asked[awaited] ?? null,
      });
    }
    case 'end': {
      const holder = { account: ACCOUNTS[command.account]!, key: command.key };
      return keys.endClaim({ ...holder, requestId: asked[command.request] ?? idOf(999) }, command.end);
    }
    case 'forget':
      return keys.forgetKeys(100);
    case 'wait':
      return null;
    default:
      return command satisfies never;
  }
}

test('memory and PostgreSQL answer every sequence of claims and ends alike, to the millisecond and the letter', async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(commands, async (sequence) => {
      await database.sql`truncate switchyard.idempotency_key`;
      let now = START;
      await database.setClock(now);
      const memory = makeMemoryKeys({ now: () => now });
      const asked: RequestId[] = [];
      for (const [step, command] of sequence.entries()) {
        if (command.kind === 'wait') {
          now = epochMs(now + command.ms);
          await database.setClock(now);
        }
        if (command.kind === 'claim' && (command.request === -1 || asked.length <= command.request)) {
          asked.unshift(idOf(step));
        }
        const expected = await run(memory, command, asked);
        expect(await run(store, command, asked), `step ${step}: ${JSON.stringify(command)}`).toEqual(expected);
        seen.add(`${command.kind} ${wordOf(expected)}`);
      }
    }),
    { numRuns: 200 },
  );
  // The sequences are worth nothing if they never reach what matters.
  expect([...seen].toSorted()).toEqual(
    expect.arrayContaining([
      'claim claimed',
      'claim conflict',
      'claim ended',
      'claim running',
      'end false',
      'end true',
      'forget none',
      'forget some',
    ]),
  );
}, 120_000);

function wordOf(answer: unknown): string {
  if (typeof answer === 'number') return answer === 0 ? 'none' : 'some';
  return typeof answer === 'object' && answer !== null && 'kind' in answer ? String(answer.kind) : String(answer);
}

describe.each(['memory', 'PostgreSQL'] as const)('in %s, a key', (kind) => {
  let now = START;
  const advance = async (ms: number) => {
    now = epochMs(now + ms);
    await database.setClock(now);
  };
  const open = async (): Promise<IdempotencyPort> => {
    await database.sql`truncate switchyard.idempotency_key`;
    await advance(0);
    return kind === 'memory' ? makeMemoryKeys({ now: () => now }) : store;
  };
  const claimOf = (step: number, changes: Partial<KeyClaim> = {}): KeyClaim => ({
    account: ANONYMOUS,
    key: 'k',
    bodyHash: 'a',
    requestId: idOf(step),
    leaseMs: LEASE_MS,
    awaited: null,
    ...changes,
  });
  const KEPT = { kind: 'kept', outcome: '{}' } as const;

  test('keeps an answer for 24 hours and not a millisecond longer, then it is free for any request', async () => {
    const keys = await open();
    await keys.claimKey(claimOf(1));
    expect(await keys.endClaim(claimOf(1), KEPT)).toBe(true);
    await advance(KEY_LIMITS.keptMs - 1);
    expect(await keys.claimKey(claimOf(2))).toEqual({ kind: 'ended', requestId: idOf(1), outcome: '{}' });
    expect(await keys.claimKey(claimOf(2, { bodyHash: 'b' }))).toEqual({ kind: 'conflict', requestId: idOf(1) });
    await advance(1);
    expect(await keys.claimKey(claimOf(3, { bodyHash: 'b' }))).toEqual({ kind: 'claimed' });
  });

  test('of a replica that died is taken over when its lease ends, and what comes late changes nothing', async () => {
    const keys = await open();
    await keys.claimKey(claimOf(1));
    await advance(LEASE_MS - 1);
    expect(await keys.claimKey(claimOf(2))).toEqual({ kind: 'running', requestId: idOf(1) });
    await advance(1);
    expect(await keys.claimKey(claimOf(3, { bodyHash: 'b' }))).toEqual({ kind: 'conflict', requestId: idOf(1) });
    expect(await keys.claimKey(claimOf(2))).toEqual({ kind: 'claimed' });
    expect(await keys.endClaim(claimOf(1), { kind: 'kept', outcome: 'late' })).toBe(false);
    expect(await keys.claimKey(claimOf(4))).toEqual({ kind: 'running', requestId: idOf(2) });
    expect(await keys.endClaim(claimOf(2), KEPT)).toBe(true);
    expect(await keys.claimKey(claimOf(4))).toEqual({ kind: 'ended', requestId: idOf(2), outcome: '{}' });
  });

  test('whose answer came after its lease keeps it, if nobody took over', async () => {
    const keys = await open();
    await keys.claimKey(claimOf(1));
    await advance(LEASE_MS * 100);
    expect(await keys.endClaim(claimOf(1), KEPT)).toBe(true);
    expect(await keys.claimKey(claimOf(2))).toMatchObject({ kind: 'ended', requestId: idOf(1) });
  });

  test('that ended without an answer tells those who waited, and is free for everybody else', async () => {
    const keys = await open();
    await keys.claimKey(claimOf(1));
    await keys.endClaim(claimOf(1), { kind: 'freed', outcome: '"refused"' });
    const waited = { kind: 'ended', requestId: idOf(1), outcome: '"refused"' };
    expect(await keys.claimKey(claimOf(2, { awaited: idOf(1) }))).toEqual(waited);
    expect(await keys.claimKey(claimOf(3, { awaited: idOf(1) }))).toEqual(waited);
    expect(await keys.claimKey(claimOf(4, { bodyHash: 'b' }))).toEqual({ kind: 'claimed' });
  });

  test('that was freed with nothing to tell is run by one of those who waited', async () => {
    const keys = await open();
    await keys.claimKey(claimOf(1));
    await keys.endClaim(claimOf(1), { kind: 'freed', outcome: null });
    expect(await keys.claimKey(claimOf(2, { awaited: idOf(1) }))).toEqual({ kind: 'claimed' });
    expect(await keys.claimKey(claimOf(3, { awaited: idOf(1) }))).toEqual({ kind: 'running', requestId: idOf(2) });
  });

  test('is forgotten when it has expired, the oldest first and no more at once than asked for', async () => {
    const keys = await open();
    for (const step of [1, 2, 3, 4]) {
      const claim = claimOf(step, { key: `k${step}` });
      await keys.claimKey(claim);
      if (step < 4) await keys.endClaim(claim, KEPT);
      await advance(1);
    }
    expect(await keys.forgetKeys(2)).toBe(0);
    await advance(KEY_LIMITS.keptMs);
    expect([await keys.forgetKeys(3), await keys.forgetKeys(3), await keys.forgetKeys(3)]).toEqual([3, 1, 0]);
    expect(await keys.endClaim(claimOf(4, { key: 'k4' }), KEPT)).toBe(false);
  });
});

test('keys in memory are bounded by number and by size: the oldest answers go first, and none whose request runs', async () => {
  const keys = makeMemoryKeys({ now: () => START, limits: { keysMax: 3, outcomeCharsMax: 25 } });
  const claimOf = (step: number): KeyClaim => {
    return {
      account: ANONYMOUS,
      key: `k${step}`,
      bodyHash: 'a',
      requestId: idOf(step),
      leaseMs: LEASE_MS,
      awaited: null,
    };
  };
  const answer = async (step: number, chars: number) => {
    await keys.claimKey(claimOf(step));
    await keys.endClaim(claimOf(step), { kind: 'kept', outcome: 'x'.repeat(chars) });
  };
  const isKnown = async (step: number) => (await keys.claimKey({ ...claimOf(step), requestId: idOf(99) })).kind;
  await keys.claimKey(claimOf(1));
  await answer(2, 10);
  await answer(3, 10);
  await answer(4, 10); // a fourth key, and more than 25 characters
  expect([await isKnown(1), await isKnown(3), await isKnown(4)]).toEqual(['running', 'ended', 'ended']);
  expect(await isKnown(2)).toBe('claimed');
});
