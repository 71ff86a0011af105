import { expect, test } from 'vitest';
import { holdId, providerKey, replicaId, requestId, userAccount } from '../../src/core/ids.ts';
import { picoUsd } from '../../src/core/money.ts';
import { makePostgresAdmission } from '../../src/store/postgres/admission.ts';
import { makeExchange } from '../../src/store/postgres/exchange.ts';
import { newUuid } from '../../src/wiring/system.ts';
import { atDay, DAY_MS, openKeptLog } from '../support/kept-log.ts';

test('a hold goes when it ended longer ago than the log is kept, and never before 30 days; its entries stay', async () => {
  await using opened = new AsyncDisposableStack();
  const { sql, connection, keep, moveTo } = await openKeptLog(opened);
  await sql`select switchyard.sync_providers('[{"key":"a","requestsPerMinute":100}]')`;
  const store = makePostgresAdmission(
    connection,
    makeExchange(connection, { replica: replicaId('replica-test'), own: { pick: () => [], adopt: () => undefined } }),
  );
  const hold = async (day: number, end: 'settle' | 'reap' | 'leave') => {
    await moveTo(day);
    // Ids carry the time, as those of replicas do.
    const id = holdId(
      `${Math.trunc(atDay(day))
        .toString(16)
        .padStart(12, '0')
        .replace(/^(.{8})/, '$1-')}${newUuid().slice(13)}`,
    );
    await store.admit({
      requestId: requestId(newUuid()),
      attempt: 1,
      holdId: id,
      account: userAccount('ann'),
      also: [],
      defaultCap: null,
      ceiling: null,
      candidates: [
        {
          provider: providerKey('a'),
          model: 'm',
          bound: { input: picoUsd(10n), perOutputToken: picoUsd(0n), outputTokensMax: 1, outputTokensMin: 1 },
        },
      ],
      attemptMs: end === 'leave' ? 400 * DAY_MS : 1_000,
    });
    if (end === 'settle') await settle(id);
    if (end !== 'reap') return id;
    await moveTo(day + 0.01);
    expect(await store.reap(10)).toHaveLength(1);
    return id;
  };
  const settle = async (id: ReturnType<typeof holdId>) => {
    const rest = { verdict: { kind: 'neutral' }, jitter: 0, throttledForMs: null, setAside: null } as const;
    return (await store.settle({ holdId: id, charge: { kind: 'hold' }, ...rest })).kind;
  };
  const settled = await hold(0, 'settle');
  const expired = await hold(0.1, 'reap');
  const held = await hold(0.2, 'leave');
  const young = await hold(20, 'settle');
  await moveTo(29.9);
  expect(await keep(1)).not.toContainEqual(expect.stringContaining('holds'));
  await moveTo(31);
  expect(await keep(1)).toContain('deleted 2 holds that ended long ago');
  expect([await settle(settled), await settle(expired)]).toEqual(['unknownHold', 'unknownHold']);
  expect([await settle(young), await settle(held)]).toEqual(['alreadySettled', 'settled']);
  await moveTo(61.5);
  expect(await keep(40)).not.toContainEqual(expect.stringContaining('deleted 2 holds'));
  expect((await sql`select from switchyard.ledger_entry`).length).toBe(4);
});
