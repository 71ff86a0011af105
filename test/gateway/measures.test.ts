import { expect, test } from 'vitest';
import { providerKey } from '../../src/core/ids.ts';
import { makeConfiguration } from '../fakes/configuration.ts';
import { makeGatewayKit, quiet, usd } from '../support/gateway-kit.ts';
import { PRICED } from './priced-registry.ts';
import { all, CHEAPEST, open } from './stream-reading.ts';

test('every call of a chat is measured once, and so is the chat itself, whole or in pieces', async () => {
  await using kit = makeGatewayKit({ registry: PRICED });
  kit.provider('a').script({ kind: 'fail', failure: { kind: 'providerError' } }, { kind: 'answer' });
  await kit.chat(CHEAPEST);
  expect(kit.meters.attempts).toMatchObject([
    { report: { provider: 'a', outcome: 'providerError' }, usage: null, firstChunkMs: null, perChunkMs: null },
    { report: { provider: 'b', outcome: 'succeeded' }, usage: { inputTokens: 10, outputTokens: 5 } },
  ]);
  expect(kit.meters.requests).toMatchObject([{ status: 'succeeded', provider: 'b' }]);

  const [first, second, third] = Array.from({ length: 3 }, () => Promise.withResolvers<string>());
  const pieces = [first, second, third].map((piece) => piece?.promise ?? '');
  kit.provider('a').script({ kind: 'stream', pieces, after: { kind: 'answer' } });
  const told = all(open(kit, CHEAPEST));
  for (const [piece, waitMs] of [
    [first, 300],
    [second, 20],
    [third, 40],
  ] as const) {
    await quiet();
    kit.clock.advance(waitMs);
    piece?.resolve('Hello');
  }
  await told;
  expect(kit.meters.attempts[2]).toMatchObject({ firstChunkMs: 300, perChunkMs: 30 });
  expect(kit.meters.requests[1]).toMatchObject({ timing: { timeToFirstTokenMs: 300 } });
});

test('money counts as held from the permit to its end, and a chat that nobody can pay for calls nobody', async () => {
  await using kit = makeGatewayKit({ registry: PRICED, budgetDefault: usd('0.5') });
  const leave = new AbortController();
  kit.provider('a').script({ kind: 'hang' });
  const chat = kit.chat(CHEAPEST, leave.signal);
  await quiet();
  expect(kit.meters.shown('budgetReserved')).toBeGreaterThan(0);
  leave.abort();
  await chat;
  expect(kit.meters.shown('budgetReserved')).toBe(0);

  await using poor = makeGatewayKit({ registry: PRICED, budgetDefault: usd('0') });
  await poor.chat(CHEAPEST);
  expect(poor.meters.attempts).toEqual([]);
  expect(poor.meters.requests).toMatchObject([{ status: 'refused', error: { code: 'BUDGET_EXCEEDED' } }]);
});

test('within five seconds the meters tell that a breaker has opened, and who opened it', async () => {
  await using kit = makeGatewayKit({ registry: PRICED });
  await quiet();
  const a = providerKey('a');
  const { requestsPerMinute = 0 } = PRICED.providers.find(({ key }) => key === 'a') ?? {};
  expect(kit.meters.standings.get(a)).toEqual({ provider: 'a', breaker: 'closed', slotsLeft: requestsPerMinute });
  kit.provider('a').script({ kind: 'fail', failure: { kind: 'providerError' } });
  for (let count = 0; count < 3; count += 1) await kit.chat(CHEAPEST);
  kit.clock.advance(5_000);
  await quiet();
  expect(kit.meters.standings.get(a)).toMatchObject({ breaker: 'open', slotsLeft: requestsPerMinute - 3 });
  expect(kit.meters.changes).toEqual(['a closed>open failureThreshold']);
});

test('a provider that is switched off or leaves the registry while its breaker is open is shown no more', async () => {
  await using kit = makeGatewayKit({ registry: PRICED });
  const [a, b] = [providerKey('a'), providerKey('b')];
  for (const key of [a, b]) kit.provider(key).script({ kind: 'fail', failure: { kind: 'providerError' } });
  for (let count = 0; count < 3; count += 1) await kit.chat(CHEAPEST);
  const look = async () => {
    kit.clock.advance(5_000);
    await quiet();
    return [...kit.meters.standings.keys()];
  };
  expect(await look()).toEqual(['a', 'b', 'c', 'd']);
  expect(kit.meters.standings.get(a)).toMatchObject({ breaker: 'open' });
  await kit.store.setEnabled(a, false, { name: 'admin', reason: null });
  expect(await look()).toEqual(['b', 'c', 'd']);
  await kit.store.setEnabled(a, true, { name: 'admin', reason: null });
  kit.deps.configurations.exchange(
    makeConfiguration({ registry: { ...PRICED, providers: PRICED.providers.filter(({ key }) => key !== b) } }),
  );
  expect(await look()).toEqual(['a', 'c', 'd']);
});
