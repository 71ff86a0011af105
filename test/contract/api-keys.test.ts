import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiKeyId, apiKeyId, providerKey, replicaId, userAccount } from '../../src/core/ids.ts';
import type { PageQuery } from '../../src/core/page.ts';
import { type EpochMs, epochMs } from '../../src/core/time.ts';
import type { NewApiKey } from '../../src/ports/api-keys.ts';
import type { Store } from '../../src/ports/store.ts';
import { makeMemoryStore } from '../../src/store/memory/store.ts';
import { SILENT_LOG } from '../fakes/log.ts';
import { eventually } from '../support/eventually.ts';
import { usd } from '../support/gateway-kit.ts';
import { openTestStore } from '../support/open-test-store.ts';
import { makeModel, makeProvider, makeRegistry } from '../support/registries.ts';
import { makeStoreDatabase, type StoreDatabase } from '../support/store-database.ts';

const START = epochMs(Date.UTC(2026, 0, 30, 23, 59, 30));
const REGISTRY = makeRegistry(makeProvider('a', [makeModel('m', '1')]));
const REPLICA = replicaId('replica-1');
const ACTOR = { name: 'key:maker', reason: null };

let database: StoreDatabase;
let store: Store;
let now = START;

beforeAll(async () => {
  database = await makeStoreDatabase(START);
  const { url } = database;
  store = await openTestStore({ kind: 'postgres', url, registry: REGISTRY, replica: REPLICA, log: SILENT_LOG });
});

afterAll(async () => {
  await store[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

/** Both stores without keys, at the start of time. */
async function openBoth(): Promise<readonly [Store, Store]> {
  await database.sql`truncate switchyard.api_key, switchyard.audit restart identity`;
  await setNow(START);
  return [makeMemoryStore({ registry: REGISTRY, replica: REPLICA, now: () => now }), store];
}

async function setNow(instant: EpochMs): Promise<void> {
  now = instant;
  await database.setClock(instant);
}

function idOf(step: number): ApiKeyId {
  return apiKeyId(`Key${String(step).padStart(9, '0')}`);
}

function newKey(step: number, over: Partial<NewApiKey> = {}): NewApiKey {
  return {
    id: idOf(step),
    line: idOf(step),
    hash: `hash ${step}`,
    name: `key "${step}" ✓ {a,b} \\`,
    scopes: ['chat', 'requests:read'],
    userId: null,
    teamId: null,
    limits: { requestsPerMinute: null, tokensPerMinute: null, concurrency: null },
    expiresAtMs: null,
    ...over,
  };
}

type Command =
  | { readonly kind: 'create'; readonly over: Partial<NewApiKey>; readonly lifeMs: number | null }
  | { readonly kind: 'rotate'; readonly before: number; readonly overlapMs: number }
  | { readonly kind: 'revoke' | 'touch'; readonly at: number }
  | { readonly kind: 'find'; readonly steps: readonly number[] }
  | { readonly kind: 'ended'; readonly withinMs: number }
  | { readonly kind: 'page' | 'audit'; readonly page: PageQuery }
  | { readonly kind: 'wait'; readonly ms: number };

const steps = fc.nat(12);
const pages = fc.record({
  size: fc.integer({ min: 1, max: 4 }),
  direction: fc.constantFrom('forward', 'backward'),
  cursor: fc.option(fc.constantFrom('0', '1', '2', '5', '99', 'none'), { freq: 2 }),
});
const limits = fc.record({
  requestsPerMinute: fc.constantFrom(null, 1, 1_000_000),
  tokensPerMinute: fc.constantFrom(null, 2_000_000_000),
  concurrency: fc.constantFrom(null, 7),
});
const texts = fc.constantFrom(null, 'ann', 'ünï "quoted" \\');
const commands = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('create'),
        over: fc.record({ userId: texts, teamId: texts, limits, scopes: fc.constantFrom([], ['admin'], ['chat']) }),
        lifeMs: fc.constantFrom(null, null, 1, 60_000),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('rotate'),
        before: steps,
        overlapMs: fc.constantFrom(0, 1_000, 90_000),
      }),
    },
    { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('revoke', 'touch'), at: steps }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('find'), steps: fc.array(steps, { maxLength: 4 }) }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('ended'), withinMs: fc.constantFrom(0, 1, 1_000, 100_000) }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('page', 'audit'), page: pages }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait'), ms: fc.constantFrom(1, 999, 1_000, 60_000) }) },
  ) as fc.Arbitrary<Command>,
  { minLength: 5, maxLength: 30 },
);

/** Runs one command on one store; `step` is its place in the sequence. */
async function run(on: Store, command: Command, step: number): Promise<unknown> {
  switch (command.kind) {
    case 'create': {
      const expiresAtMs = command.lifeMs === null ? null : epochMs(now + command.lifeMs);
      return on.createKey(newKey(step, { ...command.over, expiresAtMs }), ACTOR);
    }
    case 'rotate': {
      const next = newKey(step, { line: idOf(command.before) });
      return on.rotateKey(next, { before: idOf(command.before), overlapMs: command.overlapMs }, ACTOR);
    }
    case 'revoke':
      return on.revokeKey(idOf(command.at), { name: 'admin', reason: null });
    case 'touch':
      await on.touchKeys([idOf(command.at), idOf(command.at + 1)]);
      return [await on.findKey(idOf(command.at)), await on.findKey(idOf(command.at + 1))];
    case 'find': {
      const { nowMs, found } = await on.findKeysByHash(command.steps.map((made) => `hash ${made}`));
      return { nowMs, found: Object.fromEntries(found.map(({ hash, key }) => [hash, key])) };
    }
    case 'ended':
      return { ended: (await on.endedKeys(command.withinMs)).toSorted() };
    case 'page':
      return on.pageKeys(command.page);
    case 'audit':
      return on.pageAudit(command.page);
    case 'wait':
      return null;
    default:
      return command satisfies never;
  }
}

test('memory and PostgreSQL answer every sequence of acts on keys alike, to the millisecond and the letter', async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(commands, async (sequence) => {
      const [memory, postgres] = await openBoth();
      for (const [step, command] of sequence.entries()) {
        if (command.kind === 'wait') await setNow(epochMs(now + command.ms));
        const expected = await run(memory, command, step);
        expect(await run(postgres, command, step), `step ${step}: ${JSON.stringify(command)}`).toEqual(expected);
        seen.add(`${command.kind} ${wordOf(expected)}`);
      }
    }),
    { numRuns: 150 },
  );
  // The sequences are worth nothing if they never reach what matters.
  const reached = ['rotate null', 'rotate some', 'revoke null', 'revoke some', 'ended some', 'ended none', 'find some'];
  expect([...seen]).toEqual(expect.arrayContaining([...reached, 'page page', 'page badCursor', 'audit page']));
}, 120_000);

function wordOf(answer: unknown): string {
  if (answer === null) return 'null';
  const { kind, ended, found }: { kind?: string; ended?: unknown[]; found?: object } = Object(answer);
  if (kind !== undefined) return kind;
  return (ended ?? Object.keys(found ?? { one: 1 })).length === 0 ? 'none' : 'some';
}

test('every administrative act leaves the same line in both audit logs: who, what, to what, why', async () => {
  const a = providerKey('a');
  const lines = await Promise.all(
    (await openBoth()).map(async (on) => {
      const actor = { name: 'admin', reason: 'drill' };
      const simulation = { mode: 'error', rate: 0.5, durationMs: 60_000, failuresMax: null, latencyMs: 10 } as const;
      await on.simulate(a, simulation, actor);
      await on.stopSimulation(null, actor);
      await on.stopSimulation(a, { ...actor, reason: null });
      await on.resetBreaker(a, actor);
      await on.setEnabled(a, false, actor);
      await on.setEnabled(a, true, actor);
      const wish = {
        account: userAccount('ann'),
        cap: usd('1.000000000001'),
        period: 'daily',
        resetUsage: false,
      } as const;
      await on.setBudget(wish, actor);
      await on.createKey(newKey(1, { userId: 'ann', expiresAtMs: epochMs(START + 1) }), actor);
      await on.rotateKey(newKey(2), { before: idOf(1), overlapMs: 0 }, actor);
      await on.revokeKey(idOf(2), actor);
      const answer = await on.pageAudit({ size: 50, direction: 'forward', cursor: null });
      return answer.kind === 'page' ? answer.page.items.map(({ item }) => item) : [];
    }),
  );
  expect(lines[0]).toHaveLength(10);
  expect(lines[1]).toEqual(lines[0]);
  expect(JSON.stringify(lines)).not.toContain('hash');
});

test('of two rotations at once each makes a key, and a revocation at the same time ends them all alike', async () => {
  const [, postgres] = await openBoth();
  await postgres.createKey(newKey(1), ACTOR);
  const rotations = await Promise.all(
    [2, 3].map((step) =>
      postgres.rotateKey(newKey(step, { line: idOf(1) }), { before: idOf(1), overlapMs: step * 1_000 }, ACTOR),
    ),
  );
  expect(rotations.map((rotated) => rotated?.key.line)).toEqual([idOf(1), idOf(1)]);
  expect((await postgres.findKey(idOf(1)))?.revokedAtMs).toBe(START + 2_000);
  await Promise.all([postgres.revokeKey(idOf(1), ACTOR), postgres.revokeKey(idOf(1), ACTOR)]);
  expect((await postgres.findKey(idOf(1)))?.revokedAtMs).toBe(START);
  expect(await postgres.rotateKey(newKey(4), { before: idOf(1), overlapMs: 1 }, ACTOR)).toBeNull();
});

test('another replica hears of a revocation at once', async () => {
  const [, postgres] = await openBoth();
  const { url } = database;
  const replica = replicaId('replica-2');
  await using other = await openTestStore({ kind: 'postgres', url, registry: REGISTRY, replica, log: SILENT_LOG });
  let hints = 0;
  using _listening = other.onKeysChanged(() => {
    hints += 1;
  });
  // It is told when it begins to listen, and from then on of each change.
  await eventually(() => hints > 0);
  const before = hints;
  await postgres.createKey(newKey(1), ACTOR);
  await postgres.revokeKey(idOf(1), ACTOR);
  await eventually(() => hints > before);
});
