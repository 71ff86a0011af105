import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CallerLimits } from '../../src/core/api-key.ts';
import { apiKeyId, replicaId, requestId } from '../../src/core/ids.ts';
import { type EpochMs, epochMs } from '../../src/core/time.ts';
import type { Store } from '../../src/ports/store.ts';
import { makeMemoryStore } from '../../src/store/memory/store.ts';
import { newUuid } from '../../src/wiring/system.ts';
import { SILENT_LOG } from '../fakes/log.ts';
import { openTestStore } from '../support/open-test-store.ts';
import { SEED_REGISTRY } from '../support/registries.ts';
import { makeDatabase, makeStoreDatabase, type StoreDatabase } from '../support/store-database.ts';

// What a key may use in a rolling minute and at once: one promise, on memory and on PostgreSQL, and for several replicas together.

const START = epochMs(Date.UTC(2026, 0, 30, 23, 59, 0) + 37);
const OPTIONS = { registry: SEED_REGISTRY, log: SILENT_LOG } as const;
const NONE: CallerLimits = { requestsPerMinute: null, tokensPerMinute: null, concurrency: null };

type Command =
  | {
      readonly kind: 'enter' | 'ask';
      readonly line: number;
      readonly limits: CallerLimits;
      readonly tokens: number;
      readonly leaseMs: number;
    }
  | { readonly kind: 'leave'; readonly line: number; readonly back: number; readonly tokens: number }
  | { readonly kind: 'wait'; readonly ms: number };

const limits: fc.Arbitrary<CallerLimits> = fc.record({
  requestsPerMinute: fc.option(fc.constantFrom(1, 3, 5)),
  tokensPerMinute: fc.option(fc.constantFrom(50, 120)),
  concurrency: fc.option(fc.constantFrom(1, 2, 4)),
});

const commands: fc.Arbitrary<readonly Command[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constantFrom('enter', 'enter', 'enter', 'ask'),
        line: fc.nat(1),
        limits,
        tokens: fc.constantFrom(0, 1, 20, 50, 119, 500),
        leaseMs: fc.constantFrom(1_000, 30_000, 90_000),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('leave'),
        line: fc.nat(1),
        back: fc.nat(3),
        tokens: fc.constantFrom(0, 7, 20, 200),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('wait'),
        ms: fc.constantFrom(1, 63, 99, 100, 900, 20_000, 60_000, 60_100, -2_000),
      }),
    },
  ),
  { minLength: 10, maxLength: 50 },
) as fc.Arbitrary<readonly Command[]>;

/** What lapsed was deleted by one whose limits need none of it, and did not come back with the clock on one of the two. */
const CLOCK_SET_BACK: readonly Command[] = [
  { kind: 'enter', line: 0, limits: { ...NONE, tokensPerMinute: 50 }, tokens: 50, leaseMs: 30_000 },
  { kind: 'wait', ms: 60_100 },
  { kind: 'enter', line: 0, limits: { ...NONE, requestsPerMinute: 5 }, tokens: 0, leaseMs: 30_000 },
  { kind: 'wait', ms: -2_000 },
  { kind: 'enter', line: 0, limits: { ...NONE, tokensPerMinute: 50 }, tokens: 1, leaseMs: 30_000 },
];

function idOf(step: number) {
  return requestId(`00000000-0000-7000-8000-${String(step + 100).padStart(12, '0')}`);
}

async function run(store: Store, command: Command, step: number): Promise<unknown> {
  switch (command.kind) {
    case 'enter':
      return store.enterCaller({ ...command, line: apiKeyId(`line-${command.line}`), requestId: idOf(step) });
    case 'ask':
      return store.askCaller({ ...command, line: apiKeyId(`line-${command.line}`) });
    case 'leave':
      return store.leaveCaller({
        ...command,
        line: apiKeyId(`line-${command.line}`),
        requestId: idOf(step - 1 - command.back),
      });
    case 'wait':
      return null;
    default:
      return command satisfies never;
  }
}

let database: StoreDatabase;
let onPostgres: Store;

beforeAll(async () => {
  database = await makeStoreDatabase(START);
  onPostgres = await openTestStore({ ...OPTIONS, kind: 'postgres', url: database.url, replica: replicaId('one') });
});

afterAll(async () => {
  await onPostgres[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

async function empty(now: EpochMs): Promise<void> {
  await database.sql`truncate switchyard.caller_bucket, switchyard.caller_place`;
  await database.setClock(now);
}

test('memory and PostgreSQL answer every sequence alike, to the token and the millisecond', async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(commands, async (sequence) => {
      let now = START;
      await empty(now);
      await using onMemory = makeMemoryStore({ ...OPTIONS, now: () => now, replica: replicaId('one') });
      for (const [step, command] of sequence.entries()) {
        if (command.kind === 'wait') {
          now = epochMs(now + command.ms);
          await database.setClock(now);
        }
        const expected = await run(onMemory, command, step);
        const actual = await run(onPostgres, command, step);
        expect(actual, `step ${step}: ${JSON.stringify(command)}`).toEqual(expected);
        JSON.stringify(expected, (key, value: unknown) => {
          if (key === 'kind' || key === 'which') seen.add(String(value));
          return value;
        });
      }
    }),
    { numRuns: 150, examples: [[CLOCK_SET_BACK]] },
  );
  // The sequences are worth nothing if they never reach what matters.
  expect([...seen].toSorted()).toEqual(['concurrency', 'entered', 'limited', 'requests', 'tokens']);
}, 180_000);

test('a retry at the moment that was told is let in, and 50 ms before it is refused', async () => {
  await empty(START);
  const enter = (number: number) =>
    onPostgres.enterCaller({
      line: apiKeyId('exact'),
      limits: { ...NONE, requestsPerMinute: 2 },
      requestId: idOf(number),
      tokens: 1,
      leaseMs: 1_000,
    });
  expect((await enter(1)).kind).toBe('entered');
  await database.setClock(epochMs(START + 7_777));
  expect((await enter(2)).kind).toBe('entered');
  const refused = await enter(3);
  if (refused.kind !== 'limited') throw new Error('a full minute was not refused');
  await database.setClock(epochMs(START + 7_777 + refused.retryAfterMs - 50));
  expect((await enter(4)).kind).toBe('limited');
  await database.setClock(epochMs(START + 7_777 + refused.retryAfterMs));
  expect((await enter(5)).kind).toBe('entered');
});

test('what counts no more is deleted by whoever enters next', async () => {
  await empty(START);
  const limit = { line: apiKeyId('tidy'), limits: { ...NONE, requestsPerMinute: 100, concurrency: 100 } };
  for (let number = 0; number < 20; number += 1) {
    await database.setClock(epochMs(START + number * 1_000));
    await onPostgres.enterCaller({ ...limit, requestId: idOf(number), tokens: 5, leaseMs: 30_000 });
  }
  await database.setClock(epochMs(START + 200_000));
  await onPostgres.enterCaller({ ...limit, requestId: idOf(99), tokens: 5, leaseMs: 30_000 });
  expect(await database.sql`select from switchyard.caller_bucket`).toHaveLength(1);
  expect(await database.sql`select from switchyard.caller_place`).toHaveLength(1);
});

test.each(['memory', 'postgres'] as const)(
  'on %s what counts no more goes, also of lines that never come again: so much at a time, and nothing that counts',
  async (kind) => {
    let now = START;
    await empty(now);
    await using onMemory = makeMemoryStore({ ...OPTIONS, now: () => now, replica: replicaId('one') });
    const store = kind === 'memory' ? onMemory : onPostgres;
    const enter = (number: number) =>
      store.enterCaller({
        line: apiKeyId(`once-${number}`),
        limits: { ...NONE, requestsPerMinute: 1, concurrency: 1 },
        requestId: idOf(number),
        tokens: 5,
        leaseMs: 30_000,
      });
    for (let number = 0; number < 9; number += 1) await enter(number);
    expect(await store.forgetCallers(100)).toBe(0);
    now = epochMs(now + 60_100);
    await database.setClock(now);
    await enter(9);
    const counts: number[] = [];
    while (counts.at(-1) !== 0) counts.push(await store.forgetCallers(4));
    // Of each line a piece in memory, a bucket and a place in a table.
    expect(counts).toEqual(kind === 'memory' ? [4, 4, 1, 0] : [4, 4, 4, 4, 2, 0]);
    expect((await enter(9)).kind).toBe('limited');
    expect((await enter(0)).kind).toBe('entered');
  },
);

test('of 64 at once at two replicas exactly as many enter as each limit allows', async () => {
  await using real = await makeDatabase();
  const open = (name: string) =>
    openTestStore({ ...OPTIONS, kind: 'postgres', url: real.url, replica: replicaId(name) });
  await using one = await open('one');
  await using two = await open('two');
  const enterAll = async (line: string, allowed: Partial<CallerLimits>, tokens: number) => {
    const answers = await Promise.all(
      Array.from({ length: 64 }, (_none, caller) =>
        (caller % 2 === 0 ? one : two).enterCaller({
          line: apiKeyId(line),
          limits: { ...NONE, ...allowed },
          requestId: requestId(newUuid()),
          tokens,
          leaseMs: 60_000,
        }),
      ),
    );
    return answers.filter(({ kind }) => kind === 'entered').length;
  };
  expect(await enterAll('requests', { requestsPerMinute: 10 }, 1)).toBe(10);
  expect(await enterAll('tokens', { tokensPerMinute: 100 }, 30)).toBe(3);
  expect(await enterAll('concurrency', { concurrency: 5 }, 1)).toBe(5);
});
