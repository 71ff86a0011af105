import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { requestId, userAccount } from '../../src/core/ids.ts';
import { SLICE } from '../../src/core/slices.ts';
import { usd } from '../support/gateway-kit.ts';
import {
  LARGEST,
  makeReserveKit,
  NO_SLOTS,
  newId,
  PROVIDER,
  type ReserveKit,
  settlementOf,
  takeSlice,
  wishOf,
} from '../support/reserve-kit.ts';

let kit: ReserveKit;

beforeAll(async () => {
  kit = await makeReserveKit();
});
afterAll(() => kit[Symbol.asyncDispose]());
beforeEach(() => kit.empty());
afterEach(async () => expect(await kit.wrongBooks()).toEqual([]));

describe('a slice', () => {
  test('is a part of what the account has left, and held like any other money', async () => {
    const slice = await takeSlice(kit.stores[0]);
    expect(slice).toMatchObject({ amount: LARGEST, account: { held: LARGEST, posted: 0n } });
    await kit.admit(usd('0.90'));
    const second = await takeSlice(kit.stores[1]);
    expect(second?.amount).toBe(usd('0.06') / 20n);
    expect(await kit.money()).toEqual({ posted: 0n, held: usd('0.943') });
  });

  test('is not taken where too little is left to be of use', async () => {
    await kit.admit(usd('0.999'));
    expect(await takeSlice(kit.stores[0])).toBeNull();
    expect(await kit.money()).toEqual({ posted: 0n, held: usd('0.999') });
  });

  test('of an account without a cap is as large as allowed', async () => {
    const { slices } = await kit.stores[0].reserve(
      wishOf({ take: [{ id: newId(), account: userAccount('free'), also: [], defaultCap: null }] }),
    );
    expect(slices).toMatchObject([{ amount: LARGEST }]);
  });

  test('is given back when its replica does not name it any more, be it that the answer was lost', async () => {
    await takeSlice(kit.stores[0]);
    const second = await takeSlice(kit.stores[0]);
    expect((await kit.money()).held).toBe(second?.amount);
    await kit.stores[1].reserve(wishOf({}));
    expect((await kit.money()).held).toBe(second?.amount);
    await kit.stores[0].reserve(wishOf({}));
    expect(await kit.money()).toEqual({ posted: 0n, held: 0n });
  });

  test('lives as long as it is renewed, is then posted in full, and made right by its replica that comes back', async () => {
    const slice = await takeSlice(kit.stores[0]);
    const id = slice!.id;
    await kit.wait(SLICE.leaseMs);
    expect((await kit.stores[0].reserve(wishOf({ keep: [id], renew: [id] }))).slices).toHaveLength(1);
    await kit.wait(SLICE.leaseMs);
    expect(await kit.stores[1].reap(10)).toEqual([]);
    await kit.wait(SLICE.graceMs);
    expect(await kit.stores[1].reap(10)).toHaveLength(1);
    expect(await kit.money()).toEqual({ posted: LARGEST, held: 0n });
    expect((await kit.stores[0].reserve(wishOf({ keep: [id], renew: [id] }))).slices).toEqual([]);
    await kit.spend(id, usd('0.03'), usd('0.01'));
    expect(await kit.money()).toEqual({ posted: LARGEST, held: 0n });
    expect(await kit.wrongBooks()).toEqual([]);
    await kit.stores[0].reserve(wishOf({}));
    expect(await kit.money()).toEqual({ posted: usd('0.01'), held: 0n });
  });
});

describe('what was spent from a slice', () => {
  test('goes from the slice to the ledger, once, however often it is told', async () => {
    const slice = await takeSlice(kit.stores[0]);
    const text = kit.spendText(kit.drawOf(slice!.id, usd('0.03')), {
      kind: 'spent',
      amount: usd('0.01'),
      source: 'reported',
    });
    expect(await kit.stores[0].carryOut(text)).toMatchObject({ kind: 'settled', posted: usd('0.01'), isStale: false });
    expect(await kit.stores[1].carryOut(text)).toEqual({ kind: 'alreadySettled' });
    expect(await kit.money()).toEqual({ posted: usd('0.01'), held: usd('0.03') });
  });

  test('may be held for more than the others left of the slice, when they are told first', async () => {
    const slice = await takeSlice(kit.stores[0]);
    await kit.spend(slice!.id, usd('0.03'), usd('0.03'));
    await kit.spend(slice!.id, usd('0.04'), usd('0.01'));
    expect(await kit.money()).toEqual({ posted: usd('0.04'), held: 0n });
  });

  test('beyond its own limit is posted all the same, and recorded as an overrun', async () => {
    const slice = await takeSlice(kit.stores[0]);
    const settled = await kit.spend(slice!.id, usd('0.01'), usd('0.05'));
    expect(settled).toMatchObject({ kind: 'settled', posted: usd('0.05'), overrun: usd('0.04') });
    expect(await kit.money()).toEqual({ posted: usd('0.05'), held: usd('0.03') });
  });

  test('is told apart from an admission of the same attempt whose answer was lost', async () => {
    const slice = await takeSlice(kit.stores[0]);
    const lost = await kit.admit(usd('0.10'));
    if (lost.kind !== 'admitted') throw new Error('not admitted');
    const [row] = await kit.sql`select request_id from switchyard.hold where id = ${lost.permit.holdId}`;
    const draw = { ...kit.drawOf(slice!.id, usd('0.02')), requestId: requestId(row!.request_id) };
    await kit.stores[0].carryOut(kit.spendText(draw, { kind: 'spent', amount: usd('0.02'), source: 'reported' }));
    await kit.stores[0].settle(settlementOf(lost.permit.holdId, { kind: 'nothing' }));
    expect(await kit.money()).toEqual({ posted: usd('0.02'), held: usd('0.02') });
  });

  test('tells the breaker by the epoch of its admission', async () => {
    const slice = await takeSlice(kit.stores[0]);
    const failure = { verdict: { kind: 'failure', retryAfterMs: null, isSimulated: false } } as const;
    const fail = (epoch: number) =>
      kit.stores[0].carryOut(
        kit.spendText({ ...kit.drawOf(slice!.id, usd('0.01')), epoch }, { kind: 'nothing' }, failure),
      );
    await fail(0);
    await fail(0);
    expect(await fail(0)).toMatchObject({ transition: { to: 'open' }, isStale: false });
    expect(await fail(0)).toMatchObject({ transition: null, isStale: true });
    await kit.stores[0].resetBreaker(PROVIDER, { name: 'tester', reason: null });
    expect(await kit.money()).toEqual({ posted: 0n, held: LARGEST });
  });
});

describe('slots of a rolling limit', () => {
  const free = async () => Number((await kit.stores[1].survey()).providers[0]!.slotsUsed);

  test('are reserved as long as enough are left, renewed as long as they are ours, and given back at once', async () => {
    const take = [{ provider: PROVIDER, count: 10, leave: 35 }];
    const first = await kit.stores[0].reserve(wishOf({ slots: { ...NO_SLOTS, take } }));
    expect(first.slots).toHaveLength(5);
    expect(first.free.get(PROVIDER)).toBe(35);
    expect(first.slots[0]!.freeAtMs).toBe(kit.now() + SLICE.leaseMs + 60_250);
    expect(await free()).toBe(5);
    await kit.wait(15_000);
    const [back, ...rest] = first.slots;
    const second = await kit.stores[0].reserve(wishOf({ slots: { renew: rest, giveBack: [back!], take: [] } }));
    expect(second.slots).toHaveLength(4);
    expect(second.free.get(PROVIDER)).toBe(36);
    // Named by an instant that is not theirs any more, they are somebody else's.
    const stale = await kit.stores[0].reserve(wishOf({ slots: { renew: rest, giveBack: [], take: [] } }));
    expect(stale.slots).toEqual([]);
    await kit.stores[0].reserve(wishOf({ slots: { renew: [], giveBack: rest, take: [] } }));
    expect(await free()).toBe(4);
    await kit.wait(SLICE.leaseMs + 60_250);
    expect(await free()).toBe(0);
  });
});
