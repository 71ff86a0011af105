import { expect, test } from 'vitest';
import { replicaId } from '../../src/core/ids.ts';
import { picoUsd } from '../../src/core/money.ts';
import { epochMs } from '../../src/core/time.ts';
import { OPEN_CALLER } from '../../src/gateway/caller.ts';
import { SILENT_LOG } from '../fakes/log.ts';
import { eventually } from '../support/eventually.ts';
import { type GatewayKit, makeGatewayKit, quiet } from '../support/gateway-kit.ts';
import { openTestStore } from '../support/open-test-store.ts';
import { makeModel, makeProvider, makeRegistry } from '../support/registries.ts';
import { makeDatabase } from '../support/store-database.ts';
import { follow, watchFor } from './budget-watching.ts';
import { read } from './reading.ts';

const REGISTRY = makeRegistry(makeProvider('a', [makeModel('m', '1')]));
/** A chat costs 5,000,000 pico-dollars: one is more than half of this, and a second one too much. */
const OPTIONS = { registry: REGISTRY, budgetDefault: picoUsd(9_000_000n) };
const CHAT = { prompt: 'hello', userId: 'ann' };
const RAISE = {
  holder: { level: 'user', id: 'ann' },
  limit: picoUsd(90_000_000n),
  period: 'total',
  resetUsage: false,
} as const;

/** `ann` spends more than half, wants more than there is, and is given more. */
async function live(kit: GatewayKit, after: () => Promise<void>): Promise<void> {
  kit.provider('a').script({ kind: 'answer', inputTokens: 5 });
  expect((await kit.chat(CHAT)).kind).toBe('answered');
  await after();
  expect(await kit.chat(CHAT)).toMatchObject({ kind: 'ended', why: { kind: 'budgetExceeded' } });
  await after();
  await kit.gateway.setBudget(RAISE, OPEN_CALLER);
  await after();
}

const STORY = ['ann reachedHalf', 'ann refused', 'ann changed'];

/** Two gateways on one database, each with its own clock that stands still. */
async function openReplicas(opened: AsyncDisposableStack) {
  const { url } = opened.use(await makeDatabase());
  const open = async (name: string) => {
    const of = { kind: 'postgres', url, registry: REGISTRY, replica: replicaId(name), log: SILENT_LOG } as const;
    return opened.use(makeGatewayKit({ ...OPTIONS, store: opened.use(await openTestStore(of)) }));
  };
  return [await open('here'), await open('there')] as const;
}

test('what happens to a budget on this replica is told a moment later, to those who watch it and those who watch all', async () => {
  await using kit = makeGatewayKit(OPTIONS);
  const told = follow(await kit.gateway.watchBudgets(watchFor('ann')));
  const all = follow(await kit.gateway.watchBudgets(watchFor(null)));
  const others = follow(await kit.gateway.watchBudgets(watchFor('bob')));
  await live(kit, async () => {
    kit.clock.advance(100);
    await quiet();
  });
  expect(told()).toEqual(['ann present', ...STORY]);
  expect(all()).toEqual(STORY);
  expect(others()).toEqual(['bob present']);
});

test('what happens to a budget on another replica is told in the same order', async () => {
  await using opened = new AsyncDisposableStack();
  const [here, there] = await openReplicas(opened);
  const told = follow(await there.gateway.watchBudgets(watchFor('ann')));
  const all = follow(await there.gateway.watchBudgets(watchFor(null)));
  const heard: string[] = [];
  const heardByAll: string[] = [];
  let due = 0;
  await live(here, async () => {
    due += 1;
    await eventually(() => {
      here.clock.advance(250);
      there.clock.advance(1_000);
      heard.push(...told());
      heardByAll.push(...all());
      // Whoever watches all hears of a user who is new within five seconds.
      return heard.length > due && heardByAll.length >= due;
    });
  });
  expect(heard).toEqual(['ann present', ...STORY]);
  expect(heardByAll).toEqual(STORY);
});

test('the ticks of one replica have the requests of all, and those that are under way', async () => {
  await using opened = new AsyncDisposableStack();
  const [here, there] = await openReplicas(opened);
  const release = Promise.withResolvers<void>();
  here.provider('a').script({ kind: 'wait', until: release.promise, after: { kind: 'answer', inputTokens: 5 } });
  const running = here.chat({ prompt: 'hello' });
  await eventually(async () => (await here.store.countUnderWay(null)) === 1);
  // The database has the time of the machine. The clock of whoever watches is set to it, and stands still.
  const nowMs = (await there.store.survey()).nowMs + 1_000;
  there.clock.advance(nowMs - there.clock.now());
  const reader = read(
    await watching(
      there.gateway.watchTicks({
        pace: { everyMs: 1_000, windowMs: 60_000 },
        caller: OPEN_CALLER,
        signal: new AbortController().signal,
      }),
    ),
  );
  expect(await reader.next()).toMatchObject({ inFlight: 1, totals: { requests: 0 } });
  release.resolve();
  await running;
  const next = reader.next();
  there.clock.advance(1_000);
  expect(await next).toMatchObject({
    atMs: epochMs(nowMs + 1_000),
    inFlight: 0,
    totals: { requests: 1, cost: 5_000_000n },
    providers: [{ provider: 'a', metrics: { requests: 1, attempts: 1 } }],
    burnPerHour: 300_000_000n,
  });
});

async function watching(answer: ReturnType<GatewayKit['gateway']['watchTicks']>) {
  const watch = await answer;
  if (watch.kind !== 'watching') throw new RangeError(watch.message);
  return watch.ticks;
}
