import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ANONYMOUS, holdId, requestId, userAccount } from '../../../src/core/ids.ts';
import { picoUsd } from '../../../src/core/money.ts';
import { JournalUnavailable, StoreUnavailable } from '../../../src/core/unavailable.ts';
import type { Settled } from '../../../src/ports/admission.ts';
import type { Draw } from '../../../src/ports/reserve.ts';
import { openJournal } from '../../../src/store/journal/journal.ts';
import { makeJournaledStore } from '../../../src/store/journal/journaled-store.ts';
import { makeOwnRecords } from '../../../src/store/journal/own-records.ts';
import { openSegment, type Segment } from '../../../src/store/journal/segment.ts';
import { makeMemoryStore } from '../../../src/store/memory/store.ts';
import { newUuid } from '../../../src/wiring/system.ts';
import { makeFakeClock } from '../../fakes/clock.ts';
import { makeFakeDurable } from '../../fakes/durable.ts';
import { SILENT_LOG } from '../../fakes/log.ts';
import { alone } from '../../support/alone.ts';
import { quiet, REPLICA } from '../../support/gateway-kit.ts';
import { makeModel, makeProvider, makeRegistry } from '../../support/registries.ts';
import { makeRecord } from '../../support/request-records.ts';

const REGISTRY = makeRegistry(makeProvider('a', [makeModel('a-1', '1')]));
const ANN = userAccount('ann');
const AWAY = { sinceMs: 0, why: 'the test says so' };

/** A journaled store on a memory store that can be away, on a disk that can be full. */
async function makeKit() {
  const stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-journaled-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const clock = makeFakeClock();
  const disk = { isFull: false };
  const open = async (path: string): Promise<Segment> => {
    const segment = await openSegment(path);
    const append = async (bytes: Buffer) => {
      if (disk.isFull) throw new Error('ENOSPC: no space left on device, write');
      await segment.append(bytes);
    };
    return { ...segment, append };
  };
  const memory = makeMemoryStore({ registry: REGISTRY, now: clock.now, replica: REPLICA });
  const durable = makeFakeDurable(memory, () => new StoreUnavailable('away'));
  const journal = await openJournal({ folder, clock, log: SILENT_LOG, open });
  const told: Settled[] = [];
  const store = stack.use(
    makeJournaledStore({
      store: durable,
      journal,
      clock,
      log: SILENT_LOG,
      told: (_settlement, settled) => told.push(settled),
    }),
  );
  const admit = (account = ANN) => {
    const bound = { input: picoUsd(400n), perOutputToken: picoUsd(0n), outputTokensMax: 1, outputTokensMin: 1 };
    return store.admit({
      requestId: requestId(newUuid()),
      attempt: 1,
      holdId: holdId(newUuid()),
      ...alone(account),
      defaultCap: account === ANONYMOUS ? null : picoUsd(1_000n),
      ceiling: null,
      candidates: [{ provider: REGISTRY.providers[0]!.key, model: 'a-1', bound }],
      attemptMs: 5_000,
    });
  };
  const permitOf = async () => {
    const admitted = await admit();
    if (admitted.kind !== 'admitted') throw new Error('not admitted');
    return admitted.permit;
  };
  const settle = (id: ReturnType<typeof holdId>, amount: bigint) =>
    store.settle({
      holdId: id,
      charge: { kind: 'spent', amount: picoUsd(amount), source: 'reported' },
      verdict: { kind: 'success' },
      jitter: 0,
      throttledForMs: null,
      setAside: null,
    });
  const money = async () => {
    const { posted, held } = await memory.account(ANN);
    return { posted, held };
  };
  return {
    store,
    durable,
    written: durable.written,
    memory,
    journal,
    clock,
    disk,
    told,
    admit,
    permitOf,
    settle,
    money,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

test('a settle is answered from what the replica knows, and reaches the store at once', async () => {
  await using kit = await makeKit();
  const permit = await kit.permitOf();
  await kit.store.dispatch(permit);
  expect(await kit.settle(permit.holdId, 150n)).toMatchObject({ paying: { account: { posted: 150n, held: 0n } } });
  await quiet();
  expect(await kit.money()).toEqual({ posted: 150n, held: 0n });
  expect(kit.told).toMatchObject([{ kind: 'settled', posted: 150n }]);
});

test('when everything is carried out, nothing is left to be found', async () => {
  await using kit = await makeKit();
  const permit = await kit.permitOf();
  await kit.store.dispatch(permit);
  expect(kit.journal.count()).toBe(1);
  await kit.settle(permit.holdId, 150n);
  await kit.store.record(makeRecord(1));
  await quiet();
  expect(kit.journal.count()).toBe(0);
});

describe('while the store is away', () => {
  test('what ends is kept, answered as usual, and carried out once when it is back', async () => {
    await using kit = await makeKit();
    const permit = await kit.permitOf();
    await kit.store.dispatch(permit);
    kit.durable.setAbsence(AWAY);
    expect((await kit.settle(permit.holdId, 150n)).kind).toBe('kept');
    const record = makeRecord(1);
    await kit.store.record(record);
    for (let step = 0; step < 300; step += 1) {
      kit.clock.advance(100);
      await quiet();
    }
    expect(await kit.money()).toEqual({ posted: 0n, held: 400n });
    kit.durable.setAbsence(null);
    kit.clock.advance(100);
    await quiet();
    expect(await kit.money()).toEqual({ posted: 150n, held: 0n });
    expect(await kit.memory.find(record.id)).toEqual(record);
    expect(kit.durable.carried).toHaveLength(2);
  });

  test('new admissions are refused, since nobody can say what is free', async () => {
    await using kit = await makeKit();
    kit.durable.setAbsence(AWAY);
    await expect(kit.admit()).rejects.toBeInstanceOf(StoreUnavailable);
  });

  test('reads do not wait for what cannot be carried out', async () => {
    await using kit = await makeKit();
    const permit = await kit.permitOf();
    kit.durable.setAbsence(AWAY);
    await kit.settle(permit.holdId, 150n);
    expect(await kit.store.find(requestId(newUuid()))).toBeNull();
  });
});

test('an admission whose answer was lost is taken back, also when it is only done later', async () => {
  await using kit = await makeKit();
  const late = Promise.withResolvers<void>();
  const { admit } = kit.durable;
  let isFirst = true;
  kit.durable.admit = async (admission) => {
    if (!isFirst) return admit(admission);
    isFirst = false;
    void late.promise.then(() => admit(admission));
    throw new StoreUnavailable('no answer within 250 ms');
  };
  await expect(kit.admit()).rejects.toBeInstanceOf(StoreUnavailable);
  await quiet();
  late.resolve();
  await quiet();
  expect((await kit.money()).held).toBe(400n);
  kit.clock.advance(2_000);
  await quiet();
  expect(await kit.money()).toEqual({ posted: 0n, held: 0n });
});

describe('a full disk', () => {
  test('lets nothing new be spent, and says why', async () => {
    await using kit = await makeKit();
    const permit = await kit.permitOf();
    kit.disk.isFull = true;
    await expect(kit.store.dispatch(permit)).rejects.toBeInstanceOf(JournalUnavailable);
    await expect(kit.admit()).rejects.toThrow(JournalUnavailable);
    expect(kit.journal.fault()).toContain('ENOSPC');
  });

  test('lets no call leave that is paid from a slice either', async () => {
    await using kit = await makeKit();
    kit.disk.isFull = true;
    const draw: Draw = {
      holdId: holdId(newUuid()),
      slice: holdId(newUuid()),
      account: ANN,
      requestId: requestId(newUuid()),
      attempt: 1,
      provider: REGISTRY.providers[0]!.key,
      model: 'a-1',
      amount: picoUsd(400n),
      epoch: 0,
      startedAtMs: kit.clock.now(),
    };
    await expect(kit.store.dispatchDraw(draw)).rejects.toBeInstanceOf(JournalUnavailable);
    await expect(kit.store.dispatchDraw(draw)).rejects.toThrow(JournalUnavailable);
    expect(kit.journal.count()).toBe(1);
  });

  test('costs nobody an answer: what ends meanwhile goes to the store itself', async () => {
    await using kit = await makeKit();
    const permit = await kit.permitOf();
    await kit.store.dispatch(permit);
    kit.disk.isFull = true;
    await kit.settle(permit.holdId, 150n);
    const record = makeRecord(1);
    await kit.store.record(record);
    expect(await kit.money()).toEqual({ posted: 150n, held: 0n });
    expect(await kit.memory.find(record.id)).toEqual(record);
  });
});

test('a read of this replica sees what it has just answered', async () => {
  await using kit = await makeKit();
  const gate = Promise.withResolvers<void>();
  const { carryOut } = kit.durable;
  const permit = await kit.permitOf();
  kit.durable.carryOut = async (text) => {
    await gate.promise;
    return carryOut(text);
  };
  await kit.settle(permit.holdId, 150n);
  const account = kit.store.account(ANN);
  await quiet();
  gate.resolve();
  expect(await account).toMatchObject({ posted: 150n, held: 0n });
});

test('a request is found as soon as it is recorded, however slow the store, and also while it is away', async () => {
  await using kit = await makeKit();
  const slow = Promise.withResolvers<void>();
  const { carryOut } = kit.durable;
  kit.durable.carryOut = async (text) => {
    await slow.promise;
    return carryOut(text);
  };
  const record = makeRecord(1);
  await kit.store.record(record);
  // Nothing moves the clock: a read that waited would wait for ever.
  expect(await kit.store.find(record.id)).toEqual(record);
  kit.durable.setAbsence(AWAY);
  expect(await kit.store.find(record.id)).toEqual(record);
  kit.durable.setAbsence(null);
  slow.resolve();
  await quiet();
  expect(await kit.memory.find(record.id)).toEqual(record);
  expect(await kit.store.find(record.id)).toEqual(record);
});

test('what waits for the store is bounded: the oldest requests are found once it has them', () => {
  const own = makeOwnRecords();
  const never = new Promise(() => undefined);
  const count = 10_001;
  for (let number = 1; number <= count; number += 1) own.keep(makeRecord(number), never);
  expect(own.find(makeRecord(1).id)).toBeNull();
  expect(own.find(makeRecord(2).id)).toEqual(makeRecord(2));
  expect(own.find(makeRecord(count).id)).toEqual(makeRecord(count));
});

test('the end of a permit does not wait for the request log', async () => {
  await using kit = await makeKit();
  const { carryOut } = kit.durable;
  const records = Array.from({ length: 300 }, (_, index) => makeRecord(index));
  const slow = Promise.withResolvers<void>();
  kit.durable.carryOut = async (text) => {
    if (kit.written(text)?.kind === 'record') await slow.promise;
    return carryOut(text);
  };
  await Promise.all(records.map((record) => kit.store.record(record)));
  const permit = await kit.permitOf();
  await kit.settle(permit.holdId, 150n);
  await quiet();
  expect(await kit.money()).toEqual({ posted: 150n, held: 0n });
  slow.resolve();
});

test('an act that cannot be carried out stays in the journal, and no read waits for it', async () => {
  await using kit = await makeKit();
  kit.durable.carryOut = async () => {
    throw new TypeError('a bug');
  };
  await kit.store.record(makeRecord(1));
  await quiet();
  // Nothing moves the clock: a read that waited would wait for ever.
  expect(await kit.store.find(requestId(newUuid()))).toBeNull();
  expect(kit.journal.count()).toBe(1);
});
