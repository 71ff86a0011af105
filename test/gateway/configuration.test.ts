import { expect, test } from 'vitest';
import type { Registry } from '../../src/core/registry.ts';
import { OPEN_CALLER } from '../../src/gateway/caller.ts';
import { makeConfigurations } from '../../src/gateway/configuration.ts';
import { makeConfiguration } from '../fakes/configuration.ts';
import { makeListeningLog, SILENT_LOG } from '../fakes/log.ts';
import { makeScriptedProvider, type ScriptedProvider } from '../fakes/provider.ts';
import { type GatewayKit, makeGatewayKit, quiet, usd } from '../support/gateway-kit.ts';
import { makeModel, makeProvider, makeRegistry } from '../support/registries.ts';

// An operator changes the configuration while requests run.

const OLD: Registry = {
  ...makeRegistry(
    makeProvider('kept', [makeModel('kept-1', '1000')]),
    makeProvider('gone', [makeModel('gone-1', '1')], { requestsPerMinute: 5 }),
  ),
  priceListVersion: 'old',
};
const NEW: Registry = {
  ...makeRegistry(
    makeProvider('added', [makeModel('added-1', '3')]),
    makeProvider('kept', [makeModel('kept-1', '2000')], { requestsPerMinute: 1 }),
  ),
  priceListVersion: 'new',
};

/** Puts a registry in force as the wiring does, with fresh adapters. */
async function reconfigure(kit: GatewayKit, registry: Registry, onClosed = () => {}) {
  const providers = new Map(registry.providers.map(({ key }) => [key, makeScriptedProvider(key)]));
  await kit.store.adopt(registry);
  kit.deps.configurations.exchange(
    makeConfiguration({ registry, providers, configHash: registry.priceListVersion, onClosed }),
  );
  return (key: string): ScriptedProvider => providers.values().find((known) => known.key === key)!;
}

/** The providers whose present state a new watcher is told first, at most so many. */
async function watchBreakersOf(kit: GatewayKit, countMax: number): Promise<readonly string[]> {
  const leaving = new AbortController();
  const { signal } = leaving;
  const wish = { provider: null, includeCurrent: true, after: null, caller: OPEN_CALLER, signal };
  const answer = await kit.gateway.watchBreakers(wish);
  if (answer.kind !== 'watching') throw new Error(answer.message);
  const told: string[] = [];
  for await (const notice of answer.notices) {
    if (notice.kind === 'present') told.push(notice.state.provider);
    if (told.length === countMax) break;
  }
  leaving.abort();
  return told;
}

const onlyFrom = (key: string) => ({ prompt: 'hello', routing: { only: [key] } });

test('a chat keeps the plan, prices, adapter and price list that it began with; the next one has the new ones', async () => {
  await using kit = makeGatewayKit({ registry: OLD });
  const answer = Promise.withResolvers<void>();
  kit.provider('kept').script({ kind: 'wait', until: answer.promise, after: { kind: 'answer', inputTokens: 1_000 } });
  const running = kit.chat(onlyFrom('kept'));
  await quiet();
  const provider = await reconfigure(kit, NEW);
  answer.resolve();
  const before = await running;
  expect(before).toMatchObject({ kind: 'answered', cost: { total: usd('1'), priceListVersion: 'old' } });
  expect(before.routing.candidates.map((candidate) => candidate.provider).toSorted()).toEqual(['gone', 'kept']);
  // The limit of the new registry is one a minute, and that one is used.
  expect(await kit.chat(onlyFrom('kept'))).toMatchObject({ kind: 'ended', why: { kind: 'rateLimited' } });
  kit.clock.advance(61_000);
  provider('kept').script({ kind: 'answer', inputTokens: 100 });
  const after = await kit.chat(onlyFrom('kept'));
  expect(after).toMatchObject({ kind: 'answered', cost: { total: usd('0.2'), priceListVersion: 'new' } });
  expect(after.routing.candidates.map((candidate) => candidate.provider).toSorted()).toEqual(['added', 'kept']);
  expect([kit.provider('kept').calls.length, provider('kept').calls.length]).toEqual([1, 1]);
  expect(await kit.chat({ prompt: 'hello' })).toMatchObject({ kind: 'answered', provider: 'added' });
});

test('a chat that runs may fall back to a provider that left meanwhile, whose state and history stay', async () => {
  await using kit = makeGatewayKit({ registry: OLD });
  const failing = Promise.withResolvers<void>();
  const failure = { kind: 'fail', failure: { kind: 'providerError' } } as const;
  kit.provider('kept').script({ kind: 'wait', until: failing.promise, after: failure });
  const running = kit.chat({ prompt: 'hello', model: 'kept-1' });
  await quiet();
  await reconfigure(kit, NEW);
  failing.resolve();
  expect(await running).toMatchObject({ kind: 'answered', provider: 'gone', cost: { priceListVersion: 'old' } });
  const states = (await kit.gateway.surveyProviders()).providers;
  expect(states.map(({ state, slotsUsed }) => [state.provider, slotsUsed])).toEqual([
    ['added', 0],
    ['kept', 1],
    ['gone', 1],
  ]);
  expect(kit.gateway.registry.providers.map(({ key }) => key)).toEqual(['added', 'kept']);
  expect(kit.gateway.parseChat({ prompt: 'hello', model: 'gone-1' })).toMatchObject({ kind: 'invalidInput' });
  expect(await kit.gateway.resetBreaker('gone', null, OPEN_CALLER)).toMatchObject({
    kind: 'notFound',
  });
  expect(await watchBreakersOf(kit, 2)).toEqual(['added', 'kept']);
  // It comes back as it was.
  await reconfigure(kit, OLD);
  expect((await kit.gateway.surveyProviders()).providers.map(({ slotsUsed }) => slotsUsed)).toEqual([1, 1, 0]);
});

test('the adapters of a configuration are closed when the last chat that goes by it has ended, and not before', async () => {
  await using kit = makeGatewayKit({ registry: OLD });
  const closed: string[] = [];
  const provider = await reconfigure(kit, OLD, () => closed.push('first'));
  const ends = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  provider('gone').script(
    ...ends.map((end) => ({ kind: 'wait', until: end.promise, after: { kind: 'answer' } }) as const),
  );
  const running = ends.map(() => kit.chat(onlyFrom('gone')));
  await quiet();
  await reconfigure(kit, NEW, () => closed.push('second'));
  await reconfigure(kit, NEW);
  expect(closed).toEqual(['second']);
  ends[0]!.resolve();
  await running[0];
  expect(closed).toEqual(['second']);
  ends[1]!.resolve();
  await running[1];
  expect(closed).toEqual(['second', 'first']);
});

test('what was learnt of a model and a provider is kept as long as the registry has them', async () => {
  await using kit = makeGatewayKit({ registry: OLD });
  const { paces, retries } = kit.deps;
  const [kept, gone] = OLD.providers.map(({ key }) => key);
  const note = (provider: typeof kept) =>
    paces.note({ provider: provider!, model: `${provider}-1`, durationMs: 70, outputTokens: 5 });
  note(kept);
  note(gone);
  while (retries.retry(gone!) !== null);
  await reconfigure(kit, NEW);
  expect(
    [paces.of(kept!, 'kept-1'), paces.of(gone!, 'gone-1')].map((pace) => JSON.stringify(pace).includes('70')),
  ).toEqual([true, false]);
  expect(retries.hasToken(gone!)).toBe(true);
});

test('adapters that cannot be closed are told of, and at the end all are closed, used or not', async () => {
  const { log, lines } = makeListeningLog();
  const closed: string[] = [];
  const one = (name: string) => makeConfiguration({ registry: OLD, onClosed: () => closed.push(name) });
  const configurations = makeConfigurations(
    makeConfiguration({
      registry: OLD,
      onClosed: () => {
        throw new Error('stuck');
      },
    }),
    { log },
  );
  configurations.exchange(one('taken'));
  using _taken = configurations.take();
  configurations.exchange(one('last'));
  await configurations[Symbol.asyncDispose]();
  expect(closed.toSorted()).toEqual(['last', 'taken']);
  expect(lines).toMatchObject([{ level: 'warn', fields: { error: 'Error: stuck' } }]);
  const quietOnes = makeConfigurations(one('never taken'), { log: SILENT_LOG });
  await quietOnes[Symbol.asyncDispose]();
  expect(closed.at(-1)).toBe('never taken');
});
