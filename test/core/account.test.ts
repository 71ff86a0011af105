import { deepEqual, equal, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Account,
  atPeriodOf,
  availableOf,
  budgetStatusOf,
  fullnessOf,
  makeAccount,
  resetsAtOf,
  withBudget,
  withCorrected,
  withHeld,
  withSettled,
} from '../../src/core/account.ts';
import { holdUnder } from '../../src/core/bound.ts';
import { userAccount } from '../../src/core/ids.ts';
import { type PicoUsd, picoUsd, ZERO_USD } from '../../src/core/money.ts';
import { PERIODS } from '../../src/core/period.ts';
import { epochMs } from '../../src/core/time.ts';

const RUNS = { numRuns: 2_000 };
const START = epochMs(Date.UTC(2026, 0, 30, 23, 0));
const CAP = picoUsd(1_000n);
const FRESH = makeAccount(userAccount('ann'), START);

type Command =
  | { readonly kind: 'hold'; readonly input: bigint; readonly perOutputToken: bigint; readonly outputTokensMax: number }
  | { readonly kind: 'settle'; readonly hold: number; readonly permille: number }
  | { readonly kind: 'wait'; readonly ms: number };

const commands = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('hold'),
        input: fc.bigInt({ min: 0n, max: 400n }),
        perOutputToken: fc.constantFrom(0n, 1n, 7n),
        outputTokensMax: fc.integer({ min: 1, max: 100 }),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('settle'),
        hold: fc.nat(5),
        permille: fc.integer({ min: 0, max: 1_000 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait'), ms: fc.constantFrom(1, 3_600_000, 86_400_000) }) },
  ),
  { maxLength: 60 },
) as fc.Arbitrary<readonly Command[]>;

/** Runs holds and settles as a store does; `check` sees the account after each, and the holds that are open. */
function play(
  sequence: readonly Command[],
  start: Account,
  check: (account: Account, holds: readonly PicoUsd[]) => void,
): void {
  let account = start;
  let nowMs = START;
  let holds: PicoUsd[] = [];
  for (const command of sequence) {
    if (command.kind === 'wait') nowMs = epochMs(nowMs + command.ms);
    account = atPeriodOf(account, nowMs);
    if (command.kind === 'hold') {
      const { input, perOutputToken, outputTokensMax } = command;
      const bound = { input: picoUsd(input), perOutputToken: picoUsd(perOutputToken), outputTokensMax };
      const size = holdUnder({ ...bound, outputTokensMin: 1 }, availableOf(account, CAP) ?? ZERO_USD);
      if (size !== null) {
        account = withHeld(account, size.amount);
        holds.push(size.amount);
      }
    }
    if (command.kind === 'settle') {
      const held = holds[command.hold];
      if (held !== undefined) {
        holds = holds.toSpliced(command.hold, 1);
        account = withSettled(account, { held, spent: picoUsd((held * BigInt(command.permille)) / 1_000n) });
      }
    }
    check(account, holds);
  }
}

describe('money that is spent and held', () => {
  const start = fc.constantFrom(...PERIODS).map((period) => ({ ...FRESH, period }));

  test('never exceeds the cap, through any sequence of holds and settles', () => {
    fc.assert(
      fc.property(commands, start, (sequence, account) => {
        play(sequence, account, ({ posted, held }) => {
          ok(posted + held <= CAP);
          ok(posted >= 0n && held >= 0n);
        });
      }),
      RUNS,
    );
  });

  test('what is held is exactly the sum of the open holds, also across periods', () => {
    fc.assert(
      fc.property(commands, start, (sequence, account) => {
        play(sequence, account, ({ held }, holds) => {
          equal(
            held,
            holds.reduce((sum, hold) => sum + hold, 0n),
          );
        });
      }),
      RUNS,
    );
  });

  test('a settle gives back what was not spent, to the pico-dollar', () => {
    const amount = fc.bigInt({ min: 0n, max: 10n ** 13n });
    fc.assert(
      fc.property(amount, amount, amount, (posted, held, spent) => {
        const before = withHeld({ ...FRESH, posted: picoUsd(posted) }, picoUsd(held));
        const after = withSettled(before, { held: picoUsd(held), spent: picoUsd(spent) });
        deepEqual(after, { ...FRESH, posted: posted + spent });
      }),
      RUNS,
    );
  });

  test('a correction moves what is posted by exactly the difference, and comes off no period that began after the expiry', () => {
    const amount = fc.bigInt({ min: 0n, max: 1_000n });
    fc.assert(
      fc.property(amount, amount, amount, fc.integer({ min: -5, max: 5 }), (posted, held, spent, ms) => {
        const account = { ...FRESH, posted: picoUsd(posted + held) };
        const difference = picoUsd(spent - held);
        const corrected = withCorrected(account, { difference, expiredAtMs: epochMs(START + ms) });
        deepEqual(corrected, { ...account, posted: ms < 0 && spent < held ? posted + held : posted + spent });
      }),
      RUNS,
    );
  });

  test('a correction never makes what is posted negative', () => {
    expect(withCorrected(FRESH, { difference: picoUsd(-5n), expiredAtMs: START }).posted).toBe(0n);
  });

  test('a negative hold, and giving back more than is held, are bugs and are thrown', () => {
    expect(() => withHeld(FRESH, picoUsd(-1n))).toThrow(RangeError);
    expect(() => withSettled(FRESH, { held: picoUsd(1n), spent: ZERO_USD })).toThrow(RangeError);
  });
});

describe('a new period', () => {
  const period = fc.constantFrom(...PERIODS);
  const amount = fc.bigInt({ min: 0n, max: 10n ** 13n }).map(picoUsd);
  const waitMs = fc.oneof(fc.integer({ min: 0, max: 3_700_000 }), fc.integer({ min: 0, max: 90 * 86_400_000 }));

  test('forgets what was spent and keeps what is held; before it nothing changes', () => {
    fc.assert(
      fc.property(period, amount, amount, waitMs, (of, posted, held, ms) => {
        const account = { ...FRESH, period: of, posted, held };
        const nowMs = epochMs(START + ms);
        const resetsAtMs = resetsAtOf(account);
        const rolled = atPeriodOf(account, nowMs);
        if (resetsAtMs === null || nowMs < resetsAtMs) {
          equal(rolled, account);
          return;
        }
        deepEqual({ posted: rolled.posted, held: rolled.held }, { posted: 0n, held });
        ok(rolled.periodStartedAtMs >= resetsAtMs && rolled.periodStartedAtMs <= nowMs);
        ok((resetsAtOf(rolled) ?? 0) > nowMs);
        deepEqual(atPeriodOf(rolled, nowMs), rolled);
      }),
      RUNS,
    );
  });

  test('begins at its first millisecond, and not before', () => {
    const account = { ...FRESH, period: 'daily', posted: picoUsd(7n) } as const;
    const midnightMs = epochMs(Date.UTC(2026, 0, 31));
    expect(resetsAtOf(account)).toBe(midnightMs);
    expect(atPeriodOf(account, epochMs(midnightMs - 1)).posted).toBe(7n);
    expect(atPeriodOf(account, midnightMs)).toEqual({ ...account, posted: 0n, periodStartedAtMs: midnightMs });
  });

  test('a new budget never forgives what was spent, unless that is asked for, and never what is held', () => {
    fc.assert(
      fc.property(period, period, amount, amount, fc.boolean(), (from, to, posted, held, resetUsage) => {
        const account = { ...FRESH, period: from, posted, held };
        const changed = withBudget(account, { cap: CAP, period: to, resetUsage }, START);
        equal(changed.posted, resetUsage ? 0n : posted);
        equal(changed.held, held);
        equal(changed.cap, CAP);
        equal(changed.period, to);
        ok(changed.periodStartedAtMs <= START);
        ok((resetsAtOf(changed) ?? Number.POSITIVE_INFINITY) > START);
      }),
      RUNS,
    );
  });

  test('begins again when spending is forgotten in its middle, and a later change of the cap does not move that back', () => {
    const noon = epochMs(START + 3 * 3_600_000);
    const daily = withBudget(FRESH, { cap: CAP, period: 'daily', resetUsage: true }, noon);
    expect(daily.periodStartedAtMs).toBe(noon);
    const raised = withBudget(daily, { cap: CAP, period: 'daily', resetUsage: false }, epochMs(noon + 5_000));
    expect(raised.periodStartedAtMs).toBe(noon);
    expect(resetsAtOf(raised)).toBe(Date.UTC(2026, 1, 1));
  });

  test('a total budget keeps its beginning when only its cap changes', () => {
    const later = epochMs(START + 5_000);
    const raised = withBudget(FRESH, { cap: CAP, period: 'total', resetUsage: false }, later);
    expect(raised.periodStartedAtMs).toBe(START);
    expect(withBudget(FRESH, { cap: CAP, period: 'total', resetUsage: true }, later).periodStartedAtMs).toBe(later);
  });
});

describe('what is left', () => {
  test('an own cap comes before the default one; without any there is no limit', () => {
    const used = { ...FRESH, posted: picoUsd(300n), held: picoUsd(200n) };
    expect(availableOf(used, CAP)).toBe(500n);
    expect(availableOf({ ...used, cap: picoUsd(600n) }, CAP)).toBe(100n);
    expect(availableOf({ ...used, cap: picoUsd(0n) }, null)).toBe(-500n);
    expect(availableOf(used, null)).toBeNull();
  });

  test('is said in one word: a warning from 80 %, exhausted at 100 %, held money included', () => {
    const at = (posted: bigint, held: bigint) =>
      budgetStatusOf({ ...FRESH, posted: picoUsd(posted), held: picoUsd(held) }, CAP);
    expect(at(799n, 0n)).toBe('ok');
    expect(at(700n, 100n)).toBe('warning');
    expect(at(0n, 999n)).toBe('warning');
    expect(at(999n, 1n)).toBe('exhausted');
    expect(budgetStatusOf(FRESH, ZERO_USD)).toBe('exhausted');
  });

  test('a cap of zero is full', () => {
    expect(fullnessOf({ ...FRESH, cap: ZERO_USD }, CAP)).toEqual({ taken: 1n, cap: 1n });
    expect(fullnessOf({ ...FRESH, posted: picoUsd(7n) }, CAP)).toEqual({ taken: 7n, cap: CAP });
  });
});
