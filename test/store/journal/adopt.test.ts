import { appendFile, mkdir, mkdtemp, open, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type HoldId, holdId, type ReplicaId, replicaId, requestId, userAccount } from '../../../src/core/ids.ts';
import { picoUsd } from '../../../src/core/money.ts';
import type { Permit, Settlement } from '../../../src/ports/admission.ts';
import type { Draw } from '../../../src/ports/reserve.ts';
import type { DurableStore } from '../../../src/ports/store.ts';
import { makeJournalFolder } from '../../../src/store/journal/folder.ts';
import { type Journal, openJournal } from '../../../src/store/journal/journal.ts';
import { openJournaledStore } from '../../../src/store/journal/open.ts';
import { newUuid, SYSTEM_CLOCK } from '../../../src/wiring/system.ts';
import { SILENT_LOG } from '../../fakes/log.ts';
import { openTestStore } from '../../support/open-test-store.ts';
import { makeModel, makeProvider, makeRegistry } from '../../support/registries.ts';
import { makeRecord } from '../../support/request-records.ts';
import { makeDatabase } from '../../support/store-database.ts';

// A replica that died, and the next one on its folder, on a real PostgreSQL.

const REGISTRY = makeRegistry(makeProvider('a', [makeModel('a-1', '1')], { requestsPerMinute: 1_000 }));

let database: Awaited<ReturnType<typeof makeDatabase>>;
let dataDir: string;

beforeAll(async () => {
  database = await makeDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'switchyard-adopt-'));
  return () => rm(dataDir, { recursive: true, force: true });
});

const openAs = (replica: ReplicaId) =>
  openTestStore({ kind: 'postgres', url: database.url, registry: REGISTRY, replica, log: SILENT_LOG });

/** A replica with a journal, whose settles never get as far as the store. */
async function makeDying() {
  const replica = replicaId(newUuid());
  const store = await openAs(replica);
  const folder = await makeJournalFolder(join(dataDir, 'journal'), replica);
  const journal = await openJournal({ folder: folder.path, clock: SYSTEM_CLOCK, log: SILENT_LOG });
  return {
    store,
    journal,
    folder,
    async die() {
      await journal.safe();
      await journal[Symbol.asyncDispose]();
      folder.release();
      await store[Symbol.asyncDispose]();
    },
  };
}

async function permitOf(store: DurableStore, user: string): Promise<Permit> {
  const bound = { input: picoUsd(400n), perOutputToken: picoUsd(0n), outputTokensMax: 1, outputTokensMin: 1 };
  const admitted = await store.admit({
    requestId: requestId(newUuid()),
    attempt: 1,
    holdId: holdId(newUuid()),
    account: userAccount(user),
    also: [],
    defaultCap: picoUsd(1_000n),
    ceiling: null,
    candidates: [{ provider: REGISTRY.providers[0]!.key, model: 'a-1', bound }],
    attemptMs: 5_000,
  });
  if (admitted.kind !== 'admitted') throw new Error('not admitted');
  return admitted.permit;
}

const settlementOf = (id: HoldId, charge: Settlement['charge']): Settlement => ({
  holdId: id,
  charge,
  verdict: { kind: 'success' },
  jitter: 0,
  throttledForMs: null,
  setAside: null,
});

function keepSettle(journal: Journal, store: DurableStore, settlement: Settlement) {
  journal.append({
    kind: 'settle',
    holdId: settlement.holdId,
    act: store.encode({ kind: 'settle', settlement }),
  });
}

/** The next replica on the folder: what it knows of an account after its start. */
async function restart(user: string) {
  const replica = replicaId(newUuid());
  const { store } = await openJournaledStore({
    store: await openAs(replica),
    dataDir,
    replica,
    clock: SYSTEM_CLOCK,
    log: SILENT_LOG,
    told: () => undefined,
  });
  const { posted, held } = await store.account(userAccount(user));
  return { money: { posted, held }, store, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}

test('settles and records that were only in the journal are carried out before the next replica serves', async () => {
  const { store, journal, die } = await makeDying();
  const permit = await permitOf(store, 'settled');
  journal.append({ kind: 'sent', holdId: permit.holdId, slice: null });
  keepSettle(journal, store, settlementOf(permit.holdId, { kind: 'spent', amount: picoUsd(150n), source: 'reported' }));
  const record = makeRecord(7);
  journal.append({ kind: 'act', act: store.encode({ kind: 'record', record }) });
  await die();
  await using next = await restart('settled');
  expect(next.money).toEqual({ posted: 150n, held: 0n });
  expect(await next.store.find(record.id)).toEqual(record);
  expect(await readdir(join(dataDir, 'journal'))).toHaveLength(1);
});

test('a hold whose call was never sent is given back, whether it was settled as such or not', async () => {
  const { store, journal, die } = await makeDying();
  await permitOf(store, 'unsent');
  const refused = await permitOf(store, 'unsent');
  keepSettle(journal, store, settlementOf(refused.holdId, { kind: 'nothing' }));
  await die();
  await using next = await restart('unsent');
  expect(next.money).toEqual({ posted: 0n, held: 0n });
});

test('a hold whose call was sent and never heard of again is left to expire: it is never given back', async () => {
  const { store, journal, die } = await makeDying();
  const permit = await permitOf(store, 'unknown');
  journal.append({ kind: 'sent', holdId: permit.holdId, slice: null });
  await die();
  await using next = await restart('unknown');
  expect(next.money).toEqual({ posted: 0n, held: 400n });
});

/** A slice that the dying replica holds, and one attempt that it paid from it. */
async function sliceOf(store: DurableStore, user: string) {
  const account = userAccount(user);
  const { slices } = await store.reserve({
    keep: [],
    renew: [],
    take: [{ id: holdId(newUuid()), account, also: [], defaultCap: picoUsd(100_000_000_000n) }],
    amountMax: picoUsd(1_000_000_000n),
    slots: { renew: [], giveBack: [], take: [] },
  });
  const [slice] = slices;
  if (slice === undefined) throw new Error('no slice');
  const draw: Draw = {
    holdId: holdId(newUuid()),
    slice: slice.id,
    account,
    requestId: requestId(newUuid()),
    attempt: 1,
    provider: REGISTRY.providers[0]!.key,
    model: 'a-1',
    amount: picoUsd(400n),
    epoch: 0,
    startedAtMs: SYSTEM_CLOCK.now(),
  };
  return { slice, draw };
}

test('a slice that nothing was paid from is given back', async () => {
  const { store, die } = await makeDying();
  await sliceOf(store, 'untouched');
  await die();
  await using next = await restart('untouched');
  expect(next.money).toEqual({ posted: 0n, held: 0n });
});

test('what was paid from a slice is posted, and the rest of the slice given back', async () => {
  const { store, journal, die } = await makeDying();
  const { draw } = await sliceOf(store, 'paid');
  const settlement = settlementOf(draw.holdId, { kind: 'spent', amount: picoUsd(150n), source: 'reported' });
  const act = store.encode({ kind: 'spend', draw, settlement });
  journal.append({ kind: 'sent', holdId: draw.holdId, slice: draw.slice });
  journal.append({ kind: 'settle', holdId: draw.holdId, act });
  await die();
  await using next = await restart('paid');
  expect(next.money).toEqual({ posted: 150n, held: 0n });
});

test('so is the rest when the store was told, and only the file that said so is gone', async () => {
  const { store, journal, die } = await makeDying();
  const { draw } = await sliceOf(store, 'told');
  const settlement = settlementOf(draw.holdId, { kind: 'spent', amount: picoUsd(150n), source: 'reported' });
  journal.append({ kind: 'sent', holdId: draw.holdId, slice: draw.slice });
  await store.carryOut(store.encode({ kind: 'spend', draw, settlement }));
  await die();
  await using next = await restart('told');
  expect(next.money).toEqual({ posted: 150n, held: 0n });
});

test('a slice from which a call was paid that was never heard of again is left to expire', async () => {
  const { store, journal, die } = await makeDying();
  const { slice, draw } = await sliceOf(store, 'unheard');
  journal.append({ kind: 'sent', holdId: draw.holdId, slice: draw.slice });
  await die();
  await using next = await restart('unheard');
  expect(next.money).toEqual({ posted: 0n, held: slice.amount });
});

test('a torn end is what was never safe: the call before it was not sent', async () => {
  const { store, journal, folder, die } = await makeDying();
  journal.append({ kind: 'sent', holdId: (await permitOf(store, 'torn')).holdId, slice: null });
  await permitOf(store, 'torn');
  await die();
  const [file = ''] = (await readdir(folder.path)).filter((name) => name.endsWith('.journal'));
  await appendFile(join(folder.path, file), Buffer.from([37, 0, 0, 0, 1, 2, 3]));
  await using next = await restart('torn');
  expect(next.money).toEqual({ posted: 0n, held: 400n });
});

test('a damaged journal gives nothing back that may have been billed, and still carries out what can be read', async () => {
  const { store, journal, folder, die } = await makeDying();
  const settled = await permitOf(store, 'damaged');
  await permitOf(store, 'damaged');
  keepSettle(
    journal,
    store,
    settlementOf(settled.holdId, { kind: 'spent', amount: picoUsd(150n), source: 'reported' }),
  );
  await die();
  const [file = ''] = (await readdir(folder.path)).filter((name) => name.endsWith('.journal'));
  const path = join(folder.path, file);
  await using handle = await open(path, 'r+');
  await handle.write(Buffer.from([255]), 0, 1, 8);
  await using next = await restart('damaged');
  expect(next.money).toEqual({ posted: 150n, held: 400n });
});

test('a folder whose removal was cut short is not taken for all that its replica did', async () => {
  const { store, journal, folder, die } = await makeDying();
  const permit = await permitOf(store, 'half-removed');
  journal.append({ kind: 'sent', holdId: permit.holdId, slice: null });
  await die();
  const [file = ''] = (await readdir(folder.path)).filter((name) => name.endsWith('.journal'));
  await writeFile(join(folder.path, 'done'), '');
  await truncate(join(folder.path, file), 0);
  await using next = await restart('half-removed');
  expect(next.money).toEqual({ posted: 0n, held: 400n });
  expect(await readdir(join(dataDir, 'journal'))).toHaveLength(1);
});

test('a folder without any file of a journal says nothing of what was sent: nothing is given back', async () => {
  const { store, folder, die } = await makeDying();
  await permitOf(store, 'emptied');
  await die();
  const files = (await readdir(folder.path)).filter((name) => name.endsWith('.journal'));
  await Promise.all(files.map((name) => rm(join(folder.path, name))));
  await using next = await restart('emptied');
  expect(next.money).toEqual({ posted: 0n, held: 400n });
});

test('what else lies beside the journals is left alone, and holds up nothing', async () => {
  const { store, journal, die } = await makeDying();
  const permit = await permitOf(store, 'beside');
  keepSettle(journal, store, settlementOf(permit.holdId, { kind: 'spent', amount: picoUsd(150n), source: 'reported' }));
  await die();
  const root = join(dataDir, 'journal');
  await mkdir(join(root, 'lost+found'));
  await writeFile(join(root, 'notes.txt'), 'of the operator');
  // The name of a replica, but no folder.
  const impostor = newUuid();
  await writeFile(join(root, impostor), '');
  await using next = await restart('beside');
  expect(next.money).toEqual({ posted: 150n, held: 0n });
  expect(await readdir(root)).toEqual(expect.arrayContaining(['lost+found', 'notes.txt', impostor]));
});

test('the journal of a replica that lives is left alone', async () => {
  const { store, journal, die } = await makeDying();
  const permit = await permitOf(store, 'living');
  await using next = await restart('living');
  expect(next.money).toEqual({ posted: 0n, held: 400n });
  journal.append({ kind: 'sent', holdId: permit.holdId, slice: null });
  await die();
});
