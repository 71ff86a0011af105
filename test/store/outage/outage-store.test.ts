import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { availableOf } from '../../../src/core/account.ts';
import { providerKey, teamAccount, userAccount } from '../../../src/core/ids.ts';
import { picoUsd } from '../../../src/core/money.ts';
import { SLICE } from '../../../src/core/slices.ts';
import { StoreUnavailable } from '../../../src/core/unavailable.ts';
import { alone } from '../../support/alone.ts';
import { usd } from '../../support/gateway-kit.ts';
import {
  B,
  makeOutageKit,
  OUTAGE_CAP,
  OUTAGE_REGISTRY,
  type OutageKit,
  permitOf,
  SLICE_MAX,
} from '../../support/outage-kit.ts';
import { makeModel, makeProvider } from '../../support/registries.ts';

let kit: OutageKit;

beforeEach(async () => {
  kit = await makeOutageKit();
});
afterEach(async () => {
  expect(await kit.wrongBooks()).toEqual([]);
  await kit[Symbol.asyncDispose]();
});

/** Ann was active and has a slice; the store is away. */
async function takeAway(): Promise<void> {
  await kit.spend('ann', 400n, 400n);
  await kit.wait(2_000);
  kit.way.leave();
}

describe('while the store answers', () => {
  test('an account that was admitted has a slice within seconds, and gives it back when it is idle', async () => {
    await kit.spend('ann', 400n, 400n);
    await kit.wait(2_000);
    expect(await kit.moneyOf('ann')).toEqual({ posted: 400n, held: SLICE_MAX });
    expect(kit.store.mode()).toEqual({ kind: 'normal' });
    await kit.wait(SLICE.activeMs + 20_000);
    expect(await kit.moneyOf('ann')).toEqual({ posted: 400n, held: 0n });
    expect((await kit.store.survey()).providers.map(({ slotsUsed }) => slotsUsed)).toEqual([0, 0]);
  });

  test('a slice lives on as long as its account is active', async () => {
    for (let round = 0; round < 8; round += 1) {
      await kit.spend('ann', 400n, 400n);
      await kit.wait(20_000);
    }
    expect(await kit.durable.reap(10)).toEqual([]);
    expect(await kit.moneyOf('ann')).toEqual({ posted: 3_200n, held: SLICE_MAX });
  });

  test('the nearer an account comes to its cap, the smaller is its slice', async () => {
    await kit.spend('ann', 400n, 400n);
    await kit.wait(2_000);
    await kit.spend('ann', usd('0.90'), usd('0.90'));
    await kit.wait(20_000);
    const left = OUTAGE_CAP - usd('0.90') - 400n;
    expect((await kit.moneyOf('ann')).held).toBe(left / 20n);
    await kit.spend('ann', usd('0.09'), usd('0.0899'));
    await kit.wait(20_000);
    await kit.spend('ann', usd('0.009'), usd('0.009'));
    await kit.wait(20_000);
    expect((await kit.moneyOf('ann')).held).toBe(0n);
  });

  test('slots that are scarce go back, so that saturated providers are used up by whoever comes', async () => {
    await kit.spend('ann', 400n, 400n);
    await kit.wait(2_000);
    expect((await kit.store.survey()).providers.map(({ slotsUsed }) => slotsUsed)).toEqual([21, 2]);
    await kit.database.sql`update switchyard.rate_slot set free_at = ${new Date(kit.clock.now() + 60_000)}
      where provider = ${B} and free_at <= ${new Date(kit.clock.now())}`;
    await kit.wait(36_000);
    const taken = await kit.database.sql`select 1 from switchyard.rate_slot
      where provider = ${B} and free_at > ${new Date(kit.clock.now())}`;
    expect(taken).toHaveLength(38);
  });
});

describe('while the store is away', () => {
  test('an account with a slice goes on, sees what it spends, and everything is on the books afterwards', async () => {
    await takeAway();
    const before = await kit.store.look(alone(userAccount('ann')));
    expect(availableOf(before.account, OUTAGE_CAP)).toBe(OUTAGE_CAP - 400n);
    const settled = await kit.spend('ann', usd('0.03'), usd('0.01'));
    expect(settled).toMatchObject({ kind: 'kept', paying: { account: { posted: usd('0.01') + 400n, held: 0n } } });
    expect((await kit.store.look(alone(userAccount('ann')))).account.posted).toBe(usd('0.01') + 400n);
    expect(await kit.moneyOf('ann')).toEqual({ posted: 400n, held: SLICE_MAX });
    kit.way.comeBack();
    await kit.wait(10_000);
    expect(await kit.moneyOf('ann')).toEqual({ posted: usd('0.01') + 400n, held: SLICE_MAX });
    const holds = await kit.database.sql`select amount::text from switchyard.hold where slice_id is not null`;
    expect(holds).toEqual([{ amount: usd('0.03').toString() }]);
  });

  test('accounts that pay together go on from one slice of all of them, and neither alone nor in other company', async () => {
    const team = teamAccount('red');
    const moneyOfTeam = async () => {
      const { posted, held } = await kit.durable.account(team);
      return { posted, held };
    };
    await kit.spend('ann', 400n, 400n, [team]);
    await kit.wait(2_000);
    expect([await kit.moneyOf('ann'), await moneyOfTeam()]).toEqual([
      { posted: 400n, held: SLICE_MAX },
      { posted: 400n, held: SLICE_MAX },
    ]);
    kit.way.leave();
    const payers = { account: userAccount('ann'), also: [team] };
    expect((await kit.store.look(payers)).also).toMatchObject([{ key: team, posted: 400n, held: 0n }]);
    const settled = await kit.spend('ann', usd('0.03'), usd('0.01'), [team]);
    const paid = { posted: usd('0.01') + 400n, held: 0n };
    expect(settled).toMatchObject({ kind: 'kept', paying: { account: paid, also: [paid] } });
    await expect(kit.spend('ann', 1n, 1n)).rejects.toBeInstanceOf(StoreUnavailable);
    await expect(kit.spend('bob', 1n, 1n, [team])).rejects.toBeInstanceOf(StoreUnavailable);
    kit.way.comeBack();
    await kit.wait(10_000);
    const after = { posted: usd('0.01') + 400n, held: SLICE_MAX };
    expect([await kit.moneyOf('ann'), await moneyOfTeam()]).toEqual([after, after]);
  });

  test('users of one team share what may be reserved of it', async () => {
    const team = teamAccount('red');
    const cap = picoUsd(SLICE_MAX * 30n);
    await kit.durable.setBudget(
      { account: team, cap, period: 'total', resetUsage: false },
      { name: 'tester', reason: null },
    );
    for (const user of ['ann', 'bob', 'cid']) await kit.spend(user, 0n, 0n, [team]);
    await kit.wait(2_000);
    // A twentieth of thirty slices is one and a half.
    expect((await kit.moneyOf('ann')).held).toBe(SLICE_MAX);
    expect((await kit.moneyOf('bob')).held).toBe(SLICE_MAX / 2n);
    expect((await kit.moneyOf('cid')).held).toBe(0n);
    expect((await kit.durable.account(team)).held).toBe(SLICE_MAX + SLICE_MAX / 2n);
  });

  test('it spends no more than its slice, whatever else it has', async () => {
    await takeAway();
    await kit.spend('ann', usd('0.04'), usd('0.035'));
    await expect(kit.admit('ann', usd('0.006'))).rejects.toBeInstanceOf(StoreUnavailable);
    expect((await kit.admit('ann', usd('0.005'))).kind).toBe('admitted');
    await expect(kit.admit('ann', 1n)).rejects.toBeInstanceOf(StoreUnavailable);
  });

  test('an account without a slice is refused, as one that nobody knows', async () => {
    await takeAway();
    await expect(kit.store.look(alone(userAccount('bob')))).rejects.toBeInstanceOf(StoreUnavailable);
    await expect(kit.admit('bob', 400n)).rejects.toBeInstanceOf(StoreUnavailable);
  });

  test('no more attempts are made than slots are reserved', async () => {
    await takeAway();
    expect((await kit.admit('ann', 1n, B)).kind).toBe('admitted');
    expect((await kit.admit('ann', 1n, B)).kind).toBe('admitted');
    await expect(kit.admit('ann', 1n, B)).rejects.toBeInstanceOf(StoreUnavailable);
    kit.way.comeBack();
    await kit.wait(16_000);
    kit.way.leave();
    expect((await kit.admit('ann', 1n, B)).kind).toBe('admitted');
  });

  test('a provider that came with another registry is served from the reserve as well, and one that left is not', async () => {
    const c = providerKey('c');
    const added = makeProvider(c, [makeModel('c-1', '1')], { requestsPerMinute: 400 });
    await kit.spend('ann', 400n, 400n);
    await kit.wait(2_000);
    await kit.store.adopt({ ...OUTAGE_REGISTRY, providers: [...OUTAGE_REGISTRY.providers.slice(0, 1), added] });
    await kit.spend('ann', 400n, 400n);
    await kit.wait(20_000);
    kit.way.leave();
    const { providers } = await kit.store.look(alone(userAccount('ann')));
    expect(providers.map(({ provider }) => provider)).toEqual(['a', 'c', 'b']);
    const admitted = await kit.admit('ann', 100n, c);
    expect(admitted.kind).toBe('admitted');
    await kit.settle(admitted, { kind: 'nothing' });
    await expect(kit.admit('ann', 1n, B)).rejects.toBeInstanceOf(StoreUnavailable);
  });

  test('nothing is spent after the lease has ended, and the mode says when that is', async () => {
    await takeAway();
    expect(kit.store.mode()).toMatchObject({ kind: 'slices', accounts: 1, untilMs: SLICE.leaseMs + 2_000 });
    await kit.wait(SLICE.leaseMs - 1);
    expect((await kit.admit('ann', 1n)).kind).toBe('admitted');
    await kit.wait(1);
    await expect(kit.admit('ann', 1n)).rejects.toBeInstanceOf(StoreUnavailable);
    await expect(kit.store.look(alone(userAccount('ann')))).rejects.toBeInstanceOf(StoreUnavailable);
    expect(kit.store.mode()).toMatchObject({ kind: 'refusing' });
    await kit.wait(2_000);
    kit.way.comeBack();
    await kit.wait(2_000);
    expect(kit.logged.flatMap((line) => /"from":"(\w+)","to":"(\w+)"/.exec(line)?.slice(1).join(' ') ?? [])).toEqual([
      'normal slices',
      'slices refusing',
      'refusing normal',
    ]);
  });

  test('a breaker that is not closed lets no probe out, and failures here open it here', async () => {
    await kit.spend('ann', 400n, 400n);
    for (let count = 0; count < 3; count += 1) {
      const failed = await kit.admit('ann', 1n, B);
      const verdict = { kind: 'failure', retryAfterMs: null, isSimulated: false } as const;
      await kit.settle(failed, { kind: 'nothing' }, { verdict });
    }
    await kit.wait(58_000);
    await kit.store.look(alone(userAccount('ann')));
    kit.way.leave();
    // Half a minute later the fleet may probe again; a replica that is alone does not know whether another does.
    await kit.wait(30_000);
    expect(await kit.admit('ann', 1n, B)).toMatchObject({
      kind: 'refused',
      refusals: [{ why: { kind: 'breakerOpen' } }],
    });
  });

  test('a permit that was never used costs nothing and tells nobody', async () => {
    await takeAway();
    const permit = await kit.admit('ann', usd('0.04'));
    await kit.settle(permit, { kind: 'nothing' });
    expect((await kit.admit('ann', usd('0.04'))).kind).toBe('admitted');
    expect(await kit.database.sql`select 1 from switchyard.hold where slice_id is not null`).toEqual([]);
  });
});

test('when the store falls silent, those who have a slice are served at once, and the lost admission is taken back', async () => {
  await kit.spend('ann', 400n, 400n);
  await kit.wait(2_000);
  kit.way.fallSilent();
  await kit.spend('ann', usd('0.02'), usd('0.02'));
  await expect(kit.admit('bob', 1n)).rejects.toBeInstanceOf(StoreUnavailable);
  kit.way.comeBack();
  await kit.wait(10_000);
  expect(await kit.moneyOf('ann')).toEqual({ posted: usd('0.02') + 400n, held: SLICE_MAX });
});

test('after an outage that outlasts its slices, what they were posted for is made right', async () => {
  await takeAway();
  await kit.spend('ann', usd('0.03'), usd('0.01'));
  await kit.wait(SLICE.leaseMs + SLICE.graceMs + 2_000);
  expect(await kit.durable.reap(10)).toHaveLength(1);
  expect(await kit.moneyOf('ann')).toEqual({ posted: SLICE_MAX + 400n, held: 0n });
  kit.way.comeBack();
  await kit.wait(10_000);
  expect(await kit.moneyOf('ann')).toEqual({ posted: usd('0.01') + 400n, held: SLICE_MAX });
});

describe('a stop', () => {
  test('gives everything back that was reserved', async () => {
    await kit.spend('ann', 400n, 400n);
    await kit.wait(2_000);
    await kit.end();
    expect(await kit.moneyOf('ann')).toEqual({ posted: 400n, held: 0n });
  });

  test('while the store is away leaves that to the next start', async () => {
    await takeAway();
    await kit.spend('ann', usd('0.03'), usd('0.01'));
    await kit.end();
    expect((await kit.moneyOf('ann')).held).toBe(SLICE_MAX);
    const next = await kit.start();
    expect(await kit.moneyOf('ann')).toEqual({ posted: usd('0.01') + 400n, held: 0n });
    await next.end();
  });

  test('so does one that had spent nothing', async () => {
    await takeAway();
    await kit.end();
    const next = await kit.start();
    expect(await kit.moneyOf('ann')).toEqual({ posted: 400n, held: 0n });
    await next.end();
  });
});

test('an attempt that is still under way when the store is back keeps its slice until it has ended', async () => {
  await takeAway();
  const admitted = await kit.admit('ann', usd('0.04'));
  await kit.store.dispatch(permitOf(admitted));
  kit.way.comeBack();
  await kit.wait(SLICE.leaseMs + SLICE.graceMs);
  expect(await kit.durable.reap(10)).toEqual([]);
  // Beside it stands a whole one, for the next outage.
  expect((await kit.moneyOf('ann')).held).toBe(SLICE_MAX * 2n);
  await kit.settle(admitted, { kind: 'spent', amount: picoUsd(usd('0.02')), source: 'reported' });
  await kit.wait(4_000);
  expect(await kit.moneyOf('ann')).toEqual({ posted: usd('0.02') + 400n, held: SLICE_MAX });
});
