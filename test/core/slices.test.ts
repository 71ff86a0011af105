import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { availableOf, makeAccount } from '../../src/core/account.ts';
import { type Breaker, makeBreaker, passageOf } from '../../src/core/breaker.ts';
import { holdId, userAccount } from '../../src/core/ids.ts';
import { picoUsd } from '../../src/core/money.ts';
import {
  accountOnSlice,
  areSlotsScarce,
  breakerApart,
  isNearCap,
  SLICE,
  slotsToLeave,
  slotsWanted,
} from '../../src/core/slices.ts';
import { epochMs, later } from '../../src/core/time.ts';

const NOW = epochMs(1_000_000);
const amount = fc.bigInt({ min: 0n, max: 10n ** 15n }).map(picoUsd);
const limit = fc.integer({ min: 1, max: 10_000 });

describe('a slice', () => {
  test('that was just taken does not go back at once', () => {
    fc.assert(
      fc.property(amount, amount, (cap, posted) => {
        const left = cap - posted;
        const slice = picoUsd(left / BigInt(SLICE.partsOfAvailable));
        fc.pre(slice > 0n);
        const account = { ...makeAccount(userAccount('ann'), NOW), posted, held: slice };
        expect(isNearCap({ account, also: [] }, { defaultCap: cap, slice })).toBe(false);
      }),
    );
  });

  test('goes back when less than five times as much is left beside it, never for an account without a cap', () => {
    const account = { ...makeAccount(userAccount('ann'), NOW), posted: picoUsd(400n), held: picoUsd(100n) };
    const slice = picoUsd(100n);
    expect(isNearCap({ account, also: [] }, { defaultCap: picoUsd(1_000n), slice })).toBe(false);
    expect(isNearCap({ account, also: [] }, { defaultCap: picoUsd(999n), slice })).toBe(true);
    expect(isNearCap({ account, also: [] }, { defaultCap: null, slice })).toBe(false);
  });

  test('leaves the account, whatever is spent from it, exactly what the rest of it is worth beside what is free', () => {
    fc.assert(
      fc.property(amount, amount, amount, amount, (slice, others, posted, held) => {
        fc.pre(posted + held <= slice);
        const known = { ...makeAccount(userAccount('ann'), NOW), held: picoUsd(slice + others) };
        const cap = picoUsd(10n ** 16n);
        const before = availableOf(known, cap) ?? 0n;
        const after = availableOf(accountOnSlice(known, slice, { posted, held }), cap);
        expect(after).toBe(before + slice - posted - held);
      }),
    );
  });
});

describe('slots of a rolling limit', () => {
  test('are reserved by what was lately used, at least a twentieth and at most a quarter', () => {
    fc.assert(
      fc.property(limit, fc.nat(20_000), (requestsPerMinute, used) => {
        const wanted = slotsWanted(requestsPerMinute, used);
        expect(wanted).toBeGreaterThanOrEqual(requestsPerMinute / 20);
        expect(wanted).toBeLessThanOrEqual(Math.max(1, requestsPerMinute / 4));
        if (used >= requestsPerMinute / 20 + 1 && used <= requestsPerMinute / 4) expect(wanted).toBe(used);
      }),
    );
  });

  test('are not taken where they would be given back at once', () => {
    fc.assert(
      fc.property(limit, (requestsPerMinute) => {
        expect(areSlotsScarce(requestsPerMinute, slotsToLeave(requestsPerMinute))).toBe(false);
        expect(areSlotsScarce(requestsPerMinute, 0)).toBe(true);
      }),
    );
  });

  test('the only one of a provider is never reserved: it would be nobody else’s', () => {
    expect(slotsToLeave(1)).toBe(1);
  });
});

describe('a breaker that a replica uses alone', () => {
  const apart = (circuit: Breaker['circuit']) => breakerApart({ ...makeBreaker(NOW), circuit }, NOW);
  const lastMs = later(NOW, SLICE.leaseMs - 1);

  test('lets no probe out before the end of the lease', () => {
    const soon = { kind: 'open', fails: 3, reopensAtMs: later(NOW, 10) } as const;
    const lapsed = { id: holdId('h'), leaseEndsAtMs: NOW };
    for (const circuit of [
      soon,
      { kind: 'halfOpen', fails: 3, probe: null },
      { kind: 'halfOpen', fails: 3, probe: lapsed },
    ] as const) {
      expect(passageOf(apart(circuit), lastMs).kind).toBe('open');
    }
  });

  test('is open as long as it would be, and closed when it is closed', () => {
    const long = { kind: 'open', fails: 3, reopensAtMs: later(NOW, 600_000) } as const;
    expect(apart(long).circuit).toEqual(long);
    const closed = makeBreaker(NOW);
    expect(breakerApart(closed, NOW)).toBe(closed);
  });
});
