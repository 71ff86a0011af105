import { expect, test } from 'vitest';
import { NO_FILTER } from '../src/core/analytics.ts';
import { classify } from '../src/core/classify.ts';
import { userAccount } from '../src/core/ids.ts';
import { formatUsd } from '../src/core/money.ts';
import { epochMs } from '../src/core/time.ts';
import { OPEN_CALLER } from '../src/gateway/caller.ts';
import { makeMock } from '../src/providers/mock.ts';
import { makePythonRandom } from '../src/providers/python-random.ts';
import { DEFAULT_REGISTRY_PATH, readRegistry } from '../src/registry/read.ts';
import { makeMemoryStore } from '../src/store/memory/store.ts';
import { makeFakeClock } from './fakes/clock.ts';
import { SILENT_LOG } from './fakes/log.ts';
import { makeGatewayKit, quiet, REPLICA, usd } from './support/gateway-kit.ts';
import { openTestStore } from './support/open-test-store.ts';
import { makeModel, makeProvider, makeRegistry, SEED_REGISTRY } from './support/registries.ts';
import { makeDatabase } from './support/store-database.ts';

// The seed's own defects, each as a promise that the seed broke.

const LIMITED = makeRegistry(makeProvider('openai', [makeModel('gpt-5.1', '20')], { requestsPerMinute: 3 }));

test('seed 1: the window rolls: what is refused now is taken 60.25 s later, and refusals do not count', async () => {
  await using kit = makeGatewayKit({ registry: LIMITED });
  const kinds = [];
  for (let sent = 0; sent < 6; sent += 1) kinds.push((await kit.chat({ prompt: 'hello' })).kind);
  expect(kinds).toEqual(['answered', 'answered', 'answered', 'ended', 'ended', 'ended']);
  kit.clock.advance(60_250);
  expect((await kit.chat({ prompt: 'hello' })).kind).toBe('answered');
});

test('seed 2: ranking a provider does not take its probe, however often, and a dropped candidate keeps it', async () => {
  await using kit = makeGatewayKit({ registry: LIMITED });
  kit.provider('openai').script({ kind: 'fail', failure: { kind: 'providerError' } });
  for (let sent = 0; sent < 3; sent += 1) await kit.chat({ prompt: 'hello' });
  kit.clock.advance(66_001);
  for (let asked = 0; asked < 5; asked += 1) await kit.preview({ prompt: 'hello' });
  await kit.chat({ prompt: 'hello', maxCostUsd: usd('0.000000000001') });
  kit.provider('openai').script({ kind: 'answer' });
  expect((await kit.chat({ prompt: 'hello' })).kind).toBe('answered');
});

test('seed 3: with the default registry the class of a prompt changes who is first', async () => {
  const read = await readRegistry(DEFAULT_REGISTRY_PATH);
  if (read.kind !== 'valid') throw new Error('the default registry is not valid');
  await using kit = makeGatewayKit({ registry: read.registry });
  const firstFor = async (category: 'code' | 'writing' | 'analysis' | 'general') =>
    (await kit.preview({ prompt: 'hello', routing: { category, sort: 'price' } })).selected?.provider;
  expect(await firstFor('code')).toBe('anthropic');
  expect(await firstFor('writing')).toBe('google');
  expect(await firstFor('analysis')).toBe('google');
  expect(await firstFor('general')).toBe('groq');
});

test('seed 4: a word that merely contains a keyword is not code', () => {
  for (const text of ['Give me the definition of love.', 'An important classic.', 'Redefine success for me.']) {
    expect(classify(text).category, text).not.toBe('code');
  }
});

test.each(['memory', 'postgres'] as const)(
  'seed 5: 50 concurrent chats at $0.40 on a $1.00 cap: exactly 2 are paid, and nothing stays held (%s)',
  async (kind) => {
    const clock = makeFakeClock();
    await using stack = new AsyncDisposableStack();
    const store =
      kind === 'memory'
        ? makeMemoryStore({ registry: SEED_REGISTRY, now: clock.now, replica: REPLICA })
        : stack.use(
            await openTestStore({
              kind,
              url: stack.use(await makeDatabase()).url,
              registry: SEED_REGISTRY,
              replica: REPLICA,
              log: SILENT_LOG,
            }),
          );
    const mock = (key: 'openai' | 'google') =>
      makeMock({
        key: SEED_REGISTRY.providers[key === 'openai' ? 0 : 1]!.key,
        chance: makePythonRandom(42n),
        failureRate: 0,
        latencyScale: 0,
        clock,
      });
    const providers = new Map([mock('openai'), mock('google')].map((port) => [port.key, port]));
    await using kit = makeGatewayKit({ registry: SEED_REGISTRY, store, providers, budgetDefault: usd('1') });
    const prompt = 'x'.repeat(80_000); // 20,000 tokens at $20 per million: $0.40
    const chats = Array.from({ length: 50 }, () => kit.chat({ prompt, userId: 'ann', routing: { only: ['openai'] } }));
    for (let turn = 0; turn < 200; turn += 1) {
      await quiet();
      kit.clock.advance(1);
      clock.advance(1);
    }
    const outcomes = await Promise.all(chats);
    const paid = outcomes.filter((outcome) => outcome.kind === 'answered');
    const refused = outcomes.flatMap((outcome) => (outcome.kind === 'ended' ? [outcome.why.kind] : []));
    expect(paid).toHaveLength(2);
    expect(refused).toEqual(Array.from({ length: 48 }, () => 'budgetExceeded'));
    const account = await kit.store.account(userAccount('ann'));
    expect(formatUsd(account.posted)).toBe('0.80');
    expect(account.held).toBe(0n);
  },
);

test('seed 6: a provider that hangs is left when the time limit passes, and the caller is told so', async () => {
  await using kit = makeGatewayKit({ registry: LIMITED });
  kit.provider('openai').script({ kind: 'hang' });
  const chat = kit.chat({ prompt: 'hello', timeoutMs: 2_000 });
  await quiet();
  kit.clock.advance(2_000);
  const outcome = await chat;
  expect(outcome).toMatchObject({ kind: 'ended', why: { kind: 'timedOut', code: 'TIMED_OUT', timeoutMs: 2_000 } });
});

test('seed 7: one request with one fallback is one request and two attempts, and it succeeded', async () => {
  await using kit = makeGatewayKit({ registry: SEED_REGISTRY });
  kit.provider('google').script({ kind: 'fail', failure: { kind: 'providerError' } });
  await kit.chat({ prompt: 'Write an essay about trains', routing: { sort: 'price' } });
  const nowMs = kit.clock.now();
  const report = await kit.gateway.analyse(
    {
      window: { fromMs: epochMs(nowMs - 1_000), toMs: epochMs(nowMs + 1_000) },
      groupBy: [],
      filter: NO_FILTER,
      groupsMax: 1,
      intervalsMs: [],
    },
    OPEN_CALLER,
  );
  expect(report.totals).toMatchObject({ requests: 1, succeeded: 1, rescued: 1, attempts: 2, attemptsFailed: 1 });
});

test('seed 8: a success from before the trip does not close an open breaker', async () => {
  await using kit = makeGatewayKit({
    registry: makeRegistry(makeProvider('openai', [makeModel('gpt-5.1', '20')])),
  });
  const gate = Promise.withResolvers<void>();
  kit
    .provider('openai')
    .script(
      { kind: 'wait', until: gate.promise, after: { kind: 'answer' } },
      { kind: 'fail', failure: { kind: 'providerError' } },
    );
  const straggler = kit.chat({ prompt: 'slow' });
  await quiet();
  for (let sent = 0; sent < 3; sent += 1) await kit.chat({ prompt: 'hello' });
  gate.resolve();
  expect((await straggler).kind).toBe('answered');
  const { providers } = await kit.gateway.surveyProviders();
  expect(providers[0]?.state.breaker.circuit.kind).toBe('open');
});

test('seed 9: every reason to get no answer has a code of its own', async () => {
  const codeOf = async (kit: ReturnType<typeof makeGatewayKit>, raw: Parameters<typeof kit.chat>[0]) => {
    const outcome = await kit.chat({ prompt: 'hello world, how are you?', ...raw });
    return outcome.kind === 'ended' ? outcome.why.code : outcome.kind;
  };
  await using poor = makeGatewayKit({ registry: LIMITED, budgetDefault: usd('0.0000001') });
  expect(await codeOf(poor, { userId: 'ann' })).toBe('BUDGET_EXCEEDED');
  await using kit = makeGatewayKit({ registry: LIMITED });
  expect(await codeOf(kit, { maxCostUsd: usd('0.0000001') })).toBe('COST_LIMIT_TOO_LOW');
  kit.provider('openai').script({ kind: 'fail', failure: { kind: 'providerError' } });
  for (let sent = 0; sent < 3; sent += 1) expect(await codeOf(kit, {})).toBe('ALL_PROVIDERS_FAILED');
  expect(await codeOf(kit, {})).toBe('NO_PROVIDER_AVAILABLE');
  await using busy = makeGatewayKit({ registry: LIMITED });
  for (let sent = 0; sent < 3; sent += 1) await codeOf(busy, {});
  expect(await codeOf(busy, {})).toBe('RATE_LIMITED');
});

test('seed 10: a simulated failure shows, ends by itself, and can be forbidden; nobody can claim the account without a cap', async () => {
  await using kit = makeGatewayKit({ registry: LIMITED, chance: () => 0 });
  const wish = {
    provider: 'openai',
    mode: 'error',
    rate: 1,
    durationMs: 60_000,
    failuresMax: null,
    latencyMs: null,
  } as const;
  expect((await kit.gateway.simulateFailure(wish, OPEN_CALLER)).kind).toBe('simulating');
  const shown = await kit.gateway.surveyProviders();
  expect(shown.providers[0]?.state.simulation?.mode).toBe('error');
  const outcome = await kit.chat({ prompt: 'hello' });
  expect(outcome.routing.attempts[0]).toMatchObject({ outcome: 'providerError', httpStatus: 500, cost: 0n });
  kit.clock.advance(60_000);
  expect((await kit.gateway.surveyProviders()).providers[0]?.state.simulation).toBeNull();
  expect((await kit.chat({ prompt: 'hello' })).kind).toBe('answered');
  await using strict = makeGatewayKit({
    registry: LIMITED,
    areSimulationsEnabled: false,
    budgetDefault: usd('0.0000001'),
  });
  expect((await strict.gateway.simulateFailure(wish, OPEN_CALLER)).kind).toBe('featureDisabled');
  const claimed = await strict.chat({ prompt: 'hello', userId: 'anonymous' });
  expect(claimed).toMatchObject({ kind: 'ended', why: { code: 'BUDGET_EXCEEDED' } });
});

test("seed 11: the seed's own example costs what its code computes, 14 tokens at $15 per million", async () => {
  const clock = makeFakeClock();
  const google = makeMock({
    key: SEED_REGISTRY.providers[1]!.key,
    chance: makePythonRandom(42n),
    failureRate: 0,
    latencyScale: 0,
    clock,
  });
  await using kit = makeGatewayKit({
    registry: SEED_REGISTRY,
    providers: new Map([[google.key, google]]).set(SEED_REGISTRY.providers[0]!.key, google),
  });
  const chat = kit.chat({ prompt: 'x'.repeat(56), routing: { sort: 'price' } });
  await quiet();
  clock.advance(1);
  const outcome = await chat;
  expect(outcome.kind).toBe('answered');
  expect(formatUsd(outcome.cost.total)).toBe('0.00021');
});
