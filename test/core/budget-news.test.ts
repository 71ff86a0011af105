import { deepEqual, equal, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Account,
  atPeriodOf,
  availableOf,
  makeAccount,
  withBudget,
  withCorrected,
  withHeld,
  withSettled,
} from '../../src/core/account.ts';
import { type BudgetNews, type BudgetSight, newsSince, sightOf, unseen } from '../../src/core/budget-news.ts';
import { userAccount } from '../../src/core/ids.ts';
import { picoUsd } from '../../src/core/money.ts';
import { PERIODS } from '../../src/core/period.ts';
import { type EpochMs, epochMs, later } from '../../src/core/time.ts';

const RUNS = { numRuns: 3_000 };
const CAP = picoUsd(100n);
const START = epochMs(Date.UTC(2026, 0, 30, 23, 0));
const FRESH = makeAccount(userAccount('ann'), START);

type Step =
  | { readonly kind: 'hold'; readonly amount: bigint }
  | { readonly kind: 'spend'; readonly amount: bigint }
  | { readonly kind: 'correct'; readonly amount: bigint }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'set'; readonly cap: bigint; readonly period: number; readonly resetUsage: boolean };

const amount = fc.bigInt({ min: 1n, max: 45n });
const spending: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('hold' as const), amount }),
  fc.record({ kind: fc.constant('spend' as const), amount }),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: spending },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('correct' as const), amount }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 3_600_000, 86_400_000) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('set' as const),
      cap: fc.constantFrom(0n, 60n, 100n, 500n),
      period: fc.nat(PERIODS.length - 1),
      resetUsage: fc.boolean(),
    }),
  },
);

/** The account after each step, as a store would answer it. A hold is settled by the next spending. */
function play(steps: readonly Step[]): readonly Account[] {
  let nowMs = START;
  let account = FRESH;
  return steps.map((one) => {
    if (one.kind === 'wait') nowMs = later(nowMs, one.ms);
    account = after(one, atPeriodOf(account, nowMs), nowMs);
    return account;
  });
}

function after(one: Step, account: Account, nowMs: EpochMs): Account {
  switch (one.kind) {
    case 'wait':
      return account;
    case 'hold':
      return withHeld(account, picoUsd(one.amount));
    case 'spend':
      return withSettled(account, { held: account.held, spent: picoUsd(one.amount) });
    case 'correct':
      return withCorrected(account, { difference: picoUsd(-one.amount), expiredAtMs: nowMs });
    case 'set':
      return withBudget(account, { ...one, cap: picoUsd(one.cap), period: PERIODS[one.period]! }, nowMs);
    default:
      return one satisfies never;
  }
}

/** What a watcher is told who looks at each of these, one after the other. */
function tell(accounts: readonly Account[], start: BudgetSight): readonly (readonly BudgetNews[])[] {
  let sight = start;
  return accounts.map((account) => {
    const answer = newsSince(sight, account, CAP);
    sight = answer.sight;
    return answer.news;
  });
}

const THRESHOLDS: readonly BudgetNews[] = ['reachedHalf', 'reachedFourFifths', 'exhausted'];

function isTrueOf(news: BudgetNews, account: Account): boolean {
  const cap = account.cap ?? CAP;
  if (news === 'reachedHalf') return account.posted * 2n >= cap;
  if (news === 'reachedFourFifths') return account.posted * 5n >= cap * 4n;
  return news !== 'exhausted' || account.posted >= cap;
}

describe('a threshold', () => {
  test('is told when it is true, once in a period and under one limit, and none that is true was left out', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const accounts = play(steps);
        let told: readonly BudgetNews[] = [];
        for (const [at, news] of tell(accounts, sightOf(FRESH, CAP)).entries()) {
          const reached = THRESHOLDS.filter((one) => isTrueOf(one, accounts[at]!));
          if (news.includes('changed')) told = told.filter((one) => reached.includes(one));
          if (news.includes('reset')) told = [];
          const fresh = news.filter((one) => THRESHOLDS.includes(one));
          ok(fresh.every((one) => reached.includes(one) && !told.includes(one)));
          told = [...told, ...fresh];
          ok(reached.every((one) => told.includes(one)));
          deepEqual(
            news,
            news.toSorted((one, other) => orderOf(one) - orderOf(other)),
          );
        }
      }),
      RUNS,
    );
  });

  test('is told whoever looks seldom as well as who looks at every change, as long as money is only spent', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ kind: fc.constant('spend' as const), amount }), { minLength: 1, maxLength: 20 }),
        fc.array(fc.boolean(), { minLength: 20, maxLength: 20 }),
        (steps, looks) => {
          const accounts = play(steps);
          const seldom = accounts.filter((_, at) => looks[at] || at === accounts.length - 1);
          deepEqual(tell(seldom, unseen(FRESH)).flat(), tell(accounts, unseen(FRESH)).flat());
        },
      ),
      RUNS,
    );
  });

  test('that the present state shows is not told again; one that nobody was shown is', () => {
    const [account] = play([{ kind: 'spend', amount: 60n }]);
    expect(newsSince(sightOf(account!, CAP), account!, CAP).news).toEqual([]);
    expect(newsSince(unseen(account!), account!, CAP).news).toEqual(['reachedHalf']);
  });

  test('that all is gone is no alarm for money that is held and comes back, and is told when all is spent', () => {
    const accounts = play([
      { kind: 'spend', amount: 10n },
      { kind: 'hold', amount: 90n },
      { kind: 'spend', amount: 0n },
      { kind: 'spend', amount: 90n },
    ]);
    expect(accounts.map((account) => availableOf(account, CAP))).toEqual([90n, 0n, 90n, 0n]);
    expect(tell(accounts, sightOf(FRESH, CAP))).toEqual([
      [],
      [],
      [],
      ['reachedHalf', 'reachedFourFifths', 'exhausted'],
    ]);
  });

  test('is the same to the watcher of an account whatever is held meanwhile', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 40 }),
        fc.array(amount, { minLength: 40, maxLength: 40 }),
        (steps, holds) => {
          const accounts = play(steps);
          const held = accounts.map((account, at) => withHeld(account, picoUsd(holds[at]!)));
          deepEqual(tell(held, sightOf(FRESH, CAP)), tell(accounts, sightOf(FRESH, CAP)));
        },
      ),
      RUNS,
    );
  });

  test('is told once although a correction takes the spending back under it', () => {
    const accounts = play([
      { kind: 'spend', amount: 85n },
      { kind: 'correct', amount: 45n },
      { kind: 'spend', amount: 45n },
    ]);
    expect(tell(accounts, sightOf(FRESH, CAP))).toEqual([['reachedHalf', 'reachedFourFifths'], [], []]);
  });

  test('is told again under a raised limit, and those that a lowered one leaves behind at once', () => {
    const accounts = play([
      { kind: 'spend', amount: 45n },
      { kind: 'set', cap: 60n, period: 0, resetUsage: false },
      { kind: 'set', cap: 500n, period: 0, resetUsage: false },
      ...Array.from({ length: 5 }, (): Step => ({ kind: 'spend', amount: 45n })),
    ]);
    expect(tell(accounts, sightOf(FRESH, CAP)).filter((news) => news.length > 0)).toEqual([
      ['changed', 'reachedHalf'],
      ['changed'],
      ['reachedHalf'],
    ]);
  });
});

describe('a new period', () => {
  const DAILY: Step = { kind: 'set', cap: 100n, period: PERIODS.indexOf('daily'), resetUsage: false };

  test('is told, and its thresholds anew', () => {
    const accounts = play([
      DAILY,
      { kind: 'spend', amount: 90n },
      { kind: 'wait', ms: 86_400_000 },
      { kind: 'spend', amount: 55n },
    ]);
    expect(tell(accounts, sightOf(FRESH, CAP))).toEqual([
      ['changed'],
      ['reachedHalf', 'reachedFourFifths'],
      ['reset'],
      ['reachedHalf'],
    ]);
  });

  test('begins when an operator forgets the spending, of a total as well', () => {
    const accounts = play([
      { kind: 'spend', amount: 90n },
      { kind: 'wait', ms: 1 },
      { kind: 'set', cap: 100n, period: 0, resetUsage: true },
    ]);
    expect(tell(accounts, sightOf(FRESH, CAP))).toEqual([['reachedHalf', 'reachedFourFifths'], [], ['reset']]);
  });

  test('is not told of an account that nobody used, however often it is looked at', () => {
    const later1 = makeAccount(FRESH.key, later(START, 1_000));
    const used = { ...makeAccount(FRESH.key, later(START, 2_000)), posted: picoUsd(1n) };
    expect(tell([later1, used], sightOf(FRESH, CAP))).toEqual([[], []]);
  });

  test('is not told when another period is chosen and nothing is forgiven', () => {
    const accounts = play([{ kind: 'spend', amount: 10n }, { kind: 'wait', ms: 3_600_000 }, DAILY]);
    equal(accounts.at(-1)?.posted, 10n);
    expect(tell(accounts, sightOf(FRESH, CAP)).at(-1)).toEqual(['changed']);
  });
});

function orderOf(news: BudgetNews): number {
  return ['changed', 'reset', ...THRESHOLDS].indexOf(news);
}
