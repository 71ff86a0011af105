import { equal, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { heldBackUntil, NO_SHARES, type Shares, tenantOf, withTaken, withWaiting } from '../../src/core/fair-share.ts';
import { ANONYMOUS, apiKeyId, keyAccount, teamAccount, userAccount } from '../../src/core/ids.ts';
import { makeRateWindow, takeSlot } from '../../src/core/rate-window.ts';
import { epochMs } from '../../src/core/time.ts';

const START = 1_795_000_000_000;
const [LOUD, QUIET] = [userAccount('loud'), userAccount('quiet')];

function takenBy(shares: Shares, tenant: typeof LOUD, nowMs: number): number {
  return shares.taken.filter((slot) => slot.tenant === tenant && slot.freeAtMs > nowMs).length;
}

describe('while another waits', () => {
  test('nobody takes more than half of a limit, whatever comes; and everybody may take one', () => {
    const steps = fc.array(
      fc.record({ who: fc.constantFrom(LOUD, LOUD, LOUD, QUIET), wait: fc.nat(9_000), isNoted: fc.boolean() }),
      { maxLength: 80 },
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), steps, (limit, sequence) => {
        let shares = NO_SHARES;
        let window = makeRateWindow(limit);
        let nowMs = START;
        for (const { who, wait, isNoted } of sequence) {
          nowMs += wait;
          const now = epochMs(nowMs);
          const other = who === LOUD ? QUIET : LOUD;
          const isAwaited = (shares.waiting.get(other) ?? 0) > nowMs;
          const before = takenBy(shares, who, nowMs);
          const take = takeSlot(window, now);
          const untilMs = take.kind === 'full' ? take.freeAtMs : heldBackUntil(shares, { tenant: who, limit }, now);
          if (take.kind === 'taken') {
            equal(untilMs !== null, isAwaited && before >= Math.max(1, Math.floor(limit / 2)));
          }
          if (take.kind === 'taken' && untilMs === null) {
            window = take.window;
            shares = withTaken(shares, who, now);
          } else if (isNoted && untilMs !== null) {
            shares = withWaiting(shares, { tenant: who, untilMs }, now);
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('a tenant is held back until it has less than half, or until nobody is waited for: exactly', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(8_000), { minLength: 1, maxLength: 8 }), fc.nat(90_000), (gaps, forMs) => {
        let shares = NO_SHARES;
        let nowMs = START;
        for (const gap of gaps) {
          nowMs += gap;
          shares = withTaken(shares, LOUD, epochMs(nowMs));
        }
        shares = withWaiting(shares, { tenant: QUIET, untilMs: epochMs(nowMs + forMs) }, epochMs(nowMs));
        const heldBack = (atMs: number) => heldBackUntil(shares, { tenant: LOUD, limit: 8 }, epochMs(atMs));
        const untilMs = heldBack(nowMs);
        equal(untilMs !== null, gaps.length >= 4);
        if (untilMs === null) return;
        ok(untilMs > nowMs);
        ok(heldBack(untilMs - 1) !== null);
        equal(heldBack(untilMs), null);
      }),
      { numRuns: 1_000 },
    );
  });
});

test('a tenant alone has the whole limit, also while it waits itself', () => {
  let shares = NO_SHARES;
  for (let slot = 0; slot < 5; slot += 1) shares = withTaken(shares, LOUD, epochMs(START));
  shares = withWaiting(shares, { tenant: LOUD, untilMs: epochMs(START + 1_000) }, epochMs(START));
  expect(heldBackUntil(shares, { tenant: LOUD, limit: 6 }, epochMs(START))).toBeNull();
});

test('nobody is waited for longer than until a slot that is taken now is free, and 5 s', () => {
  const shares = withWaiting(NO_SHARES, { tenant: QUIET, untilMs: epochMs(START + 600_000) }, epochMs(START));
  expect(shares.waiting.get(QUIET)).toBe(START + 65_250);
});

test('the tenant is the team, or else whoever pays', () => {
  const key = keyAccount(apiKeyId('k'));
  expect(tenantOf({ account: userAccount('ann'), also: [key, teamAccount('red')] })).toBe('team:red');
  expect(tenantOf({ account: userAccount('ann'), also: [key] })).toBe('user:ann');
  expect(tenantOf({ account: key, also: [] })).toBe('key:k');
  expect(tenantOf({ account: ANONYMOUS, also: [] })).toBe('anonymous');
});
