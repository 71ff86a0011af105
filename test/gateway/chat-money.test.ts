import fc from 'fast-check';
import postgres from 'postgres';
import { describe, expect, test } from 'vitest';
import { userAccount } from '../../src/core/ids.ts';
import { formatUsd, picoUsd } from '../../src/core/money.ts';
import type { RawChat } from '../../src/core/raw-chat.ts';
import { SILENT_LOG } from '../fakes/log.ts';
import type { Act } from '../fakes/provider.ts';
import { type GatewayKit, makeGatewayKit, quiet, REPLICA, usd } from '../support/gateway-kit.ts';
import { openTestStore } from '../support/open-test-store.ts';
import { makeDatabase } from '../support/store-database.ts';
import { PRICED } from './priced-registry.ts';

/** Five characters, so at most five tokens of input by the bound of the fakes. */
const CHEAPEST: RawChat = { prompt: 'hello', userId: 'ann', routing: { sort: 'price' } };

async function moneyOf({ store }: GatewayKit) {
  const { posted, held } = await store.account(userAccount('ann'));
  return { posted, held };
}

function unbilled(billed: 'nothing' | 'unknown'): Act {
  return { kind: 'fail', failure: { kind: 'providerError', billed } };
}

describe('what an attempt costs', () => {
  test('an answer costs what its tokens cost, and the rest of the hold is given back', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    kit.provider('a').script({ kind: 'answer', inputTokens: 4, outputTokens: 100 });
    const outcome = await kit.chat(CHEAPEST);
    expect(outcome.cost).toEqual({
      total: usd('0.001004'),
      input: usd('0.000004'),
      output: usd('0.001'),
      // 5 tokens at $1 and 1,000 at $10, per million.
      reserved: usd('0.010005'),
      priceListVersion: PRICED.priceListVersion,
    });
    expect(await moneyOf(kit)).toEqual({ posted: usd('0.001004'), held: 0n });
    expect(outcome).toMatchObject({ account: { posted: usd('0.001004'), held: 0n } });
  });

  test('a failure that may have been billed posts the whole hold', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    kit.provider('a').script(unbilled('unknown'));
    const outcome = await kit.chat(CHEAPEST);
    expect(outcome.routing.attempts.map(({ cost }) => formatUsd(cost))).toEqual(['0.010005', '0.00012']);
    expect(formatUsd(outcome.cost.total)).toBe('0.010125');
    expect(await moneyOf(kit)).toEqual({ posted: outcome.cost.total, held: 0n });
  });

  test('a failure with evidence that nothing was billed posts nothing', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    for (const { key } of PRICED.providers) kit.provider(key).script(unbilled('nothing'));
    expect((await kit.chat(CHEAPEST)).cost.total).toBe(0n);
    expect(await moneyOf(kit)).toEqual({ posted: 0n, held: 0n });
  });

  test.each(['memory', 'postgres'] as const)(
    'a provider that bills above its own limit is paid what it billed, and the overrun is kept (%s)',
    async (kind) => {
      await using opened = new AsyncDisposableStack();
      const url = kind === 'memory' ? null : opened.use(await makeDatabase()).url;
      const options = { kind: 'postgres', registry: PRICED, replica: REPLICA, log: SILENT_LOG } as const;
      const store = url === null ? undefined : opened.use(await openTestStore({ ...options, url }));
      await using kit = makeGatewayKit({ registry: PRICED, ...(store === undefined ? {} : { store }) });
      kit.provider('a').script({ kind: 'answer', inputTokens: 5, outputTokens: 1_500 });
      const outcome = await kit.chat(CHEAPEST);
      expect(outcome.cost).toMatchObject({ total: usd('0.015005'), reserved: usd('0.010005') });
      expect(await moneyOf(kit)).toEqual({ posted: usd('0.015005'), held: 0n });
      expect(kit.meters.shown('overruns')).toBe(1);
      if (url === null) return;
      const sql = postgres(url, { max: 1 });
      opened.defer(() => sql.end());
      const entries = await sql`select amount::text, overrun::text, kind, evidence from switchyard.ledger_entry`;
      expect([...entries]).toEqual([
        { amount: '15005000000', overrun: '5000000000', kind: 'settled', evidence: 'reported' },
      ]);
    },
  );

  test('what was reserved is the most that was held at one moment, not the sum of all attempts nor the last one', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    kit.provider('d').script(unbilled('nothing'));
    const outcome = await kit.chat({ ...CHEAPEST, routing: { order: ['d', 'a'] } });
    expect(outcome).toMatchObject({ kind: 'answered', provider: 'a', cost: { reserved: usd('0.04002') } });
  });

  test('without a user nobody in particular pays, and there is no cap to show', async () => {
    await using kit = makeGatewayKit({ registry: PRICED, budgetDefault: usd('0') });
    expect(await kit.chat({ prompt: 'hello' })).toMatchObject({ kind: 'answered', account: null });
  });
});

describe('a small balance', () => {
  test('still works: the output limit shrinks to what it can pay for, and the caller is told', async () => {
    await using kit = makeGatewayKit({ registry: PRICED, budgetDefault: usd('0.001') });
    const outcome = await kit.chat({ ...CHEAPEST, routing: { only: ['a'] } });
    // (0.001 − 5 × 0.000001) / 0.00001
    expect(kit.provider('a').calls.map(({ maxOutputTokens }) => maxOutputTokens)).toEqual([99]);
    expect(outcome).toMatchObject({
      kind: 'answered',
      warnings: ['the answer was limited to 99 output tokens by the budget, maxCostUsd or the model'],
    });
  });

  test('with plenty there is no warning', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    expect(await kit.chat(CHEAPEST)).toMatchObject({ kind: 'answered', warnings: [] });
    expect(await kit.chat({ ...CHEAPEST, maxOutputTokens: 10 })).toMatchObject({ kind: 'answered', warnings: [] });
  });

  test('is not spent on fewer tokens than the caller named: it is refused, with what it would take', async () => {
    await using kit = makeGatewayKit({ registry: PRICED, budgetDefault: usd('0.001') });
    const outcome = await kit.chat({ ...CHEAPEST, maxOutputTokens: 100 });
    expect(outcome).toMatchObject({
      kind: 'ended',
      why: { code: 'BUDGET_EXCEEDED', required: usd('0.001005'), isRetryable: false },
      routing: { attempts: [] },
    });
  });

  test('that is only held by others is worth a retry', async () => {
    await using kit = makeGatewayKit({ registry: PRICED, budgetDefault: usd('0.0015') });
    const gate = Promise.withResolvers<void>();
    kit.provider('a').script({ kind: 'wait', until: gate.promise, after: { kind: 'answer' } }, { kind: 'answer' });
    const wish = { ...CHEAPEST, maxOutputTokens: 100 };
    const running = kit.chat(wish);
    await quiet();
    expect(await kit.chat(wish)).toMatchObject({
      why: { code: 'BUDGET_EXCEEDED', isRetryable: true, retryAfterMs: 1_000, account: { held: usd('0.001005') } },
    });
    gate.resolve();
    await running;
    expect((await kit.chat(wish)).kind).toBe('answered');
  });
});

test('an account that can only afford a provider at its limit is told when to come back, and is served then', async () => {
  const [cheap, dear] = PRICED.providers;
  if (cheap === undefined || dear === undefined) throw new RangeError('the registry is too small');
  await using kit = makeGatewayKit({
    registry: { ...PRICED, providers: [{ ...cheap, requestsPerMinute: 1 }, dear] },
    budgetDefault: usd('0.0015'),
  });
  kit.provider('a').script({ kind: 'answer', inputTokens: 5, outputTokens: 10 });
  const wish = { ...CHEAPEST, maxOutputTokens: 100 };
  await kit.chat(wish);
  const refused = await kit.chat(wish);
  expect(refused).toMatchObject({ why: { code: 'RATE_LIMITED', isRetryable: true, retryAfterMs: 60_250 } });
  expect(refused.routing.candidates).toMatchObject([
    { provider: 'a', rejection: { reason: 'rateLimited' } },
    { provider: 'b', rejection: { reason: 'overBudget' } },
  ]);
  kit.clock.advance(60_250);
  expect(await kit.chat(wish)).toMatchObject({ kind: 'answered', provider: 'a' });
  // Now not even the cheap one can be paid for when it is back: waiting would be in vain.
  kit.provider('a').script({ kind: 'answer', inputTokens: 5, outputTokens: 60 });
  kit.clock.advance(60_250);
  await kit.chat(wish);
  expect(await kit.chat(wish)).toMatchObject({ why: { code: 'BUDGET_EXCEEDED', isRetryable: false } });
});

describe('maxCostUsd', () => {
  test('covers all attempts together: the second gets what the first has left', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    kit.provider('a').script(unbilled('unknown'));
    const outcome = await kit.chat({ ...CHEAPEST, maxOutputTokens: 50, maxCostUsd: usd('0.002') });
    // a: 5 × $1 + 50 × $10 per million; b: 5 × $2 + 50 × $20 per million.
    expect(outcome.routing.attempts.map(({ cost }) => formatUsd(cost))).toEqual(['0.000505', '0.00012']);
    expect(outcome.kind).toBe('answered');
  });

  test('is never exceeded: where it leaves too little, the next candidate is passed over and nobody else is asked', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    kit.provider('a').script(unbilled('unknown'));
    const outcome = await kit.chat({ ...CHEAPEST, maxOutputTokens: 50, maxCostUsd: usd('0.0015') });
    expect(outcome).toMatchObject({
      kind: 'ended',
      why: { code: 'ALL_PROVIDERS_FAILED' },
      cost: { total: usd('0.000505') },
    });
    expect(outcome.routing.candidates).toMatchObject([
      { provider: 'a', rank: 1 },
      { provider: 'b', rejection: { reason: 'overCostLimit', required: usd('0.00101') } },
      { provider: 'c', rejection: { reason: 'overCostLimit' } },
      { provider: 'd', rejection: { reason: 'overCostLimit' } },
    ]);
    expect(kit.provider('b').calls).toHaveLength(0);
  });

  test('below the cheapest candidate is refused before any call, with the least that would do', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    expect(await kit.chat({ ...CHEAPEST, maxOutputTokens: 50, maxCostUsd: usd('0.0005') })).toMatchObject({
      why: { code: 'COST_LIMIT_TOO_LOW', required: usd('0.000505') },
      routing: { attempts: [] },
    });
  });
});

test('whatever happens to the attempts, the cost is what was posted, nothing stays held, and no limit is exceeded', async () => {
  const act = fc.oneof(
    fc.constant<Act>({ kind: 'answer', inputTokens: 5, outputTokens: 5 }),
    fc.constantFrom<Act>(unbilled('nothing'), unbilled('unknown'), unbilled('unknown')),
    fc.constantFrom<Act>(
      { kind: 'fail', failure: { kind: 'rejected' } },
      { kind: 'fail', failure: { kind: 'cancelled', billed: 'unknown' } },
      { kind: 'fail', failure: { kind: 'throttled' } },
    ),
  );
  const chat = fc.record({
    acts: fc.tuple(act, act, act, act),
    maxOutputTokens: fc.option(fc.integer({ min: 5, max: 1_000 })),
    maxCost: fc.option(fc.bigInt({ min: 1n, max: 20_000_000_000n })),
  });
  const cap = usd('0.02');
  await fc.assert(
    fc.asyncProperty(fc.array(chat, { minLength: 1, maxLength: 6 }), async (chats) => {
      await using kit = makeGatewayKit({ registry: PRICED, budgetDefault: cap });
      let total = 0n;
      for (const { acts, maxOutputTokens, maxCost } of chats) {
        for (const [place, { key }] of PRICED.providers.entries()) kit.provider(key).script(acts[place]!);
        const maxCostUsd = maxCost === null ? null : picoUsd(maxCost);
        const outcome = await kit.chat({ ...CHEAPEST, maxOutputTokens, maxCostUsd, routing: { maxAttempts: 10 } });
        const attempts = outcome.routing.attempts.reduce((sum, { cost }) => sum + cost, 0n);
        expect(outcome.cost.total).toBe(attempts);
        if (maxCostUsd !== null) expect(outcome.cost.total <= maxCostUsd).toBe(true);
        total += outcome.cost.total;
        expect(await moneyOf(kit)).toEqual({ posted: total, held: 0n });
        expect(total <= cap).toBe(true);
      }
    }),
    { numRuns: 1_000 },
  );
});
