import fc from 'fast-check';
import type postgres from 'postgres';
import { describe, expect, test } from 'vitest';
import { NO_FILTER } from '../../src/core/analytics.ts';
import { ANONYMOUS, userAccount } from '../../src/core/ids.ts';
import type { RawChat } from '../../src/core/raw-chat.ts';
import { epochMs } from '../../src/core/time.ts';
import { OPEN_CALLER } from '../../src/gateway/caller.ts';
import { planOf, scene } from '../core/plan-scenes.ts';
import { SILENT_LOG } from '../fakes/log.ts';
import { alone } from '../support/alone.ts';
import { type GatewayKit, makeGatewayKit, quiet, REPLICA, usd } from '../support/gateway-kit.ts';
import { openTestStore } from '../support/open-test-store.ts';
import { makeModel, makeProvider, makeRegistry } from '../support/registries.ts';
import { makeStoreDatabase } from '../support/store-database.ts';
import { PRICED } from './priced-registry.ts';

const REGISTRY = makeRegistry(
  makeProvider('a', [makeModel('m', '1')], { requestsPerMinute: 50 }),
  makeProvider('b', [makeModel('n', '2')], { requestsPerMinute: 3 }),
);
const START = epochMs(Date.UTC(2026, 0, 1));

/** A gateway on one of the stores, and everything that store keeps. */
interface Place extends AsyncDisposable {
  readonly kit: GatewayKit;
  readonly advance: (ms: number) => Promise<void>;
  readonly everything: () => Promise<unknown>;
}

async function makePlace(kind: 'memory' | 'postgres'): Promise<Place> {
  if (kind === 'memory') {
    const kit = makeGatewayKit({ registry: REGISTRY });
    const advance = async (ms: number) => kit.clock.advance(ms);
    return { kit, advance, everything: () => visibleIn(kit), [Symbol.asyncDispose]: kit[Symbol.asyncDispose] };
  }
  await using opened = new AsyncDisposableStack();
  const database = opened.use(await makeStoreDatabase(START));
  const options = { kind, url: database.url, registry: REGISTRY, replica: REPLICA, log: SILENT_LOG };
  const store = opened.use(await openTestStore(options));
  const kit = opened.use(makeGatewayKit({ registry: REGISTRY, store }));
  let now = START;
  const advance = async (ms: number) => {
    now = epochMs(now + ms);
    await database.setClock(now);
  };
  const kept = opened.move();
  return {
    kit,
    advance,
    everything: async () => ({ visible: await visibleIn(kit), tables: await digestsOf(database.sql) }),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** What can be asked of a gateway. */
async function visibleIn({ gateway, store }: GatewayKit): Promise<unknown> {
  const page = { size: 50, direction: 'forward', cursor: null } as const;
  return {
    survey: await store.survey(),
    looks: await Promise.all([userAccount('ann'), userAccount('new'), ANONYMOUS].map((key) => store.look(alone(key)))),
    budgets: await gateway.pageBudgets(page, []),
    events: [await store.range(), await store.tail(0, 500)],
    requests: await gateway.pageRequests({
      page,
      filter: NO_FILTER,
      order: { field: 'createdAt', direction: 'ascending' },
      caller: OPEN_CALLER,
    }),
  };
}

/** Every row of every table, with the transaction that wrote it: a write that changes nothing shows as well. */
async function digestsOf(sql: postgres.Sql): Promise<Readonly<Record<string, unknown>>> {
  const tables = await sql`select table_name as name from information_schema.tables
    where table_schema = 'switchyard' and table_type = 'BASE TABLE' order by 1`;
  const digests: Record<string, unknown> = {};
  for (const { name } of tables) {
    const [row] = await sql`select count(*) as rows,
      md5(coalesce(string_agg(concat(t.ctid, t.xmin, t::text), '|' order by t.ctid), '')) as digest
      from switchyard.${sql(name)} t`;
    digests[name] = { rows: row?.rows, digest: row?.digest };
  }
  return digests;
}

/** Breaker a is half open and its probe is free; b has one of three slots left; ann has spent. */
async function prepare({ kit, advance }: Place): Promise<void> {
  kit.provider('a').script({ kind: 'fail', failure: { kind: 'providerError' } });
  for (let sent = 0; sent < 3; sent += 1) await kit.chat({ prompt: 'hello', routing: { only: ['a'] } });
  await advance(59_000);
  for (let sent = 0; sent < 2; sent += 1) {
    await kit.chat({ prompt: 'hello', userId: 'ann', routing: { only: ['b'] } });
  }
  await advance(7_000);
  kit.provider('a').script({ kind: 'fail', failure: { kind: 'rejected' } });
  await kit.chat({ prompt: 'hello', routing: { only: ['a'] } });
  const { providers } = await kit.store.survey();
  expect(providers).toMatchObject([
    { state: { breaker: { circuit: { kind: 'halfOpen', probe: null }, epoch: 2 } } },
    { slotsUsed: 2 },
  ]);
}

const WISHES: readonly RawChat[] = [
  { prompt: 'hello' },
  { prompt: 'hello', userId: 'ann' },
  { prompt: 'hello', userId: 'new' },
  { prompt: 'def f(): pass', routing: { only: ['a'] } },
  { prompt: 'hello', routing: { only: ['b'], sort: 'latency' }, userId: 'ann' },
  { prompt: 'hello', maxCostUsd: usd('0.000000000001') },
  { prompt: 'x'.repeat(100_000), maxOutputTokens: 5, userId: 'ann' },
  { prompt: 'hello', routing: { only: ['a'], ignore: ['a'] } },
];

describe.each(['memory', 'postgres'] as const)('on %s', (kind) => {
  test('a thousand previews around a half-open breaker and a nearly full window leave everything as it is', async () => {
    await using place = await makePlace(kind);
    const { kit } = place;
    await prepare(place);
    const before = await place.everything();
    for (let asked = 0; asked < 1_000; asked += 10) {
      const ten = Array.from({ length: 10 }, (_, at) => kit.preview(WISHES[(asked + at) % WISHES.length]!));
      const answers = await Promise.all(ten);
      expect(answers.filter(({ blockedBy }) => blockedBy === null).length).toBeGreaterThan(5);
    }
    expect(await place.everything()).toEqual(before);
    expect(kit.provider('a').calls).toHaveLength(4);

    // And after all that, a chat takes the probe, and another one the last slot.
    const gate = Promise.withResolvers<void>();
    kit.provider('a').script({ kind: 'wait', until: gate.promise, after: { kind: 'answer' } });
    const probing = kit.chat({ prompt: 'hello', routing: { only: ['a'] } });
    while (kit.provider('a').calls.length < 5) await quiet();
    const meanwhile = await kit.preview({ prompt: 'hello', routing: { only: ['a'] } });
    expect(meanwhile.decision.candidates.map(({ rejection }) => rejection?.reason)).toContain('breakerProbing');
    gate.resolve();
    expect((await probing).kind).toBe('answered');
    expect((await kit.store.survey()).providers[0]?.state.breaker.circuit.kind).toBe('closed');
    const last = await kit.chat({ prompt: 'hello', routing: { only: ['b'] } });
    const refused = await kit.chat({ prompt: 'hello', routing: { only: ['b'] } });
    expect(last.kind).toBe('answered');
    expect(refused).toMatchObject({ kind: 'ended', why: { kind: 'rateLimited', rateLimit: { limit: 3, used: 3 } } });
  });
});

describe('a preview and the chat that follows it', () => {
  test('decide alike: the same candidates with the same ranks, scores and reasons, the same hold, the same refusal', async () => {
    const met = new Set<string>();
    await fc.assert(
      fc.asyncProperty(scene, async (of) => {
        const { store } = await planOf(of);
        await using kit = makeGatewayKit({ registry: of.registry, store, budgetDefault: of.cap ?? usd('1') });
        const raw: RawChat = { ...of.raw, userId: 'ann' };
        const preview = await kit.preview(raw);
        const outcome = await kit.chat(raw);
        const { routing } = outcome;
        const [first] = routing.attempts;
        expect(first?.provider ?? null).toBe(preview.selected?.provider ?? null);
        expect(first?.model ?? null).toBe(preview.selected?.model ?? null);
        if (preview.blockedBy !== null) {
          expect(outcome).toMatchObject({ kind: 'ended', why: preview.blockedBy });
        }
        // A failed attempt may take the slot or the money of the next candidate: then the decision says so.
        if (routing.attempts.every((attempt) => attempt.outcome === 'succeeded')) {
          expect(routing.candidates).toEqual(preview.decision.candidates);
          expect(routing.classification).toEqual(preview.decision.classification);
          expect(outcome.cost.reserved).toBe(preview.reservation);
        }
        met.add(outcome.kind === 'answered' ? 'answered' : outcome.why.kind);
      }),
      { numRuns: 1_000 },
    );
    expect([...met]).toEqual(
      expect.arrayContaining(['answered', 'budgetExceeded', 'costLimitTooLow', 'rateLimited', 'noProviderAvailable']),
    );
  });

  test('name the same account and amounts: what would be held is what is held', async () => {
    await using kit = makeGatewayKit({ registry: PRICED, budgetDefault: usd('0.005') });
    const raw: RawChat = { prompt: 'hello', userId: 'ann', maxCostUsd: usd('0.003'), routing: { only: ['a'] } };
    const preview = await kit.preview(raw);
    // 5 × $1 + 299 × $10 per million: all that fits under the caller's own limit.
    expect(preview.reservation).toBe(usd('0.002995'));
    kit.provider('a').script({ kind: 'hang' });
    const leaving = new AbortController();
    const chat = kit.chat(raw, leaving.signal);
    await quiet();
    expect((await kit.store.account(userAccount('ann'))).held).toBe(preview.reservation);
    leaving.abort();
    expect((await chat).cost.reserved).toBe(preview.reservation);
  });

  test('a preview makes no attempts and says why nobody is eligible', async () => {
    await using kit = makeGatewayKit({ registry: REGISTRY });
    const blocked = await kit.preview({ prompt: 'hello', maxCostUsd: usd('0.000000000001') });
    expect(blocked).toMatchObject({
      selected: null,
      reservation: 0n,
      blockedBy: { kind: 'costLimitTooLow', required: usd('0.000005') },
      decision: { attempts: [] },
    });
    const open = await kit.preview({ prompt: 'hello' });
    expect(open).toMatchObject({ selected: { provider: 'a', rank: 1 }, blockedBy: null, estimatedInputTokens: 2 });
  });
});
