import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type postgres from 'postgres';
import { type HoldId, holdId, type RequestId, replicaId, requestId, userAccount } from '../../src/core/ids.ts';
import { picoUsd } from '../../src/core/money.ts';
import type { Registry } from '../../src/core/registry.ts';
import type { DurableStore } from '../../src/ports/store.ts';
import { openJournaledStore } from '../../src/store/journal/open.ts';
import { newUuid, SYSTEM_CLOCK } from '../../src/wiring/system.ts';
import { SILENT_LOG } from '../../test/fakes/log.ts';
import { makeRecord } from '../../test/support/request-records.ts';

/** What a replica had done when it died: one chat whose records are older, and one whose three records are the last. */
export interface DeadReplica {
  readonly name: string;
  /** The bytes of its journal. */
  readonly journal: Buffer;
  /** Where each of its records begins, and where the last one ends. */
  readonly edges: readonly number[];
  readonly older: DeadChat;
  readonly last: DeadChat;
}

export interface DeadChat {
  readonly hold: HoldId;
  readonly request: RequestId;
  readonly held: bigint;
  readonly spent: bigint;
}

const USER = 'cut';
const HELD = 400n;
const SPENT = 150n;
const FILE = '00000001.journal';
const FRAME_HEAD_BYTES = 8;
/** It takes acts, and never tells of one that it was done: so everything stays in the journal. */
const AWAY = { sinceMs: 0, why: 'the arena says so' };

/** Lets a replica do two chats through its real journal, without PostgreSQL ever hearing how they ended. */
export async function makeDeadReplica(of: {
  readonly store: DurableStore;
  readonly sql: postgres.Sql;
  readonly registry: Registry;
  readonly folder: string;
}): Promise<DeadReplica> {
  const name = newUuid();
  const silent: DurableStore = {
    ...of.store,
    absence: () => null,
    carryOut: () => new Promise(() => {}),
    [Symbol.asyncDispose]: async () => {},
  };
  const { store } = await openJournaledStore({
    store: silent,
    dataDir: of.folder,
    replica: replicaId(name),
    clock: SYSTEM_CLOCK,
    log: SILENT_LOG,
    told: () => undefined,
  });
  const chats: DeadChat[] = [];
  for (let count = 0; count < 2; count += 1) chats.push(await chatThrough(store, of.registry));
  const [older, last] = chats;
  if (older === undefined || last === undefined) throw new RangeError('no chats');
  // The store that took them is shared: the books must say whose they are.
  await of.sql`update switchyard.hold set replica = ${name} where id in (${older.hold}, ${last.hold})`;
  const journal = await readFile(join(of.folder, 'journal', name, FILE));
  silent.absence = () => AWAY;
  await store[Symbol.asyncDispose]();
  return { name, journal, edges: edgesOf(journal), older, last };
}

async function chatThrough(
  store: Awaited<ReturnType<typeof openJournaledStore>>['store'],
  registry: Registry,
): Promise<DeadChat> {
  const hold = holdId(newUuid());
  const request = requestId(newUuid());
  const admitted = await store.admit({
    requestId: request,
    attempt: 1,
    holdId: hold,
    account: userAccount(USER),
    also: [],
    defaultCap: null,
    ceiling: null,
    candidates: registry.providers.map(({ key }) => ({ provider: key, model: 'any', bound: BOUND })),
    attemptMs: 5_000,
  });
  if (admitted.kind !== 'admitted') throw new Error(`not admitted: ${JSON.stringify(admitted.refusals)}`);
  await store.dispatch(admitted.permit);
  await store.settle({
    holdId: hold,
    charge: { kind: 'spent', amount: picoUsd(SPENT), source: 'reported' },
    verdict: { kind: 'success' },
    jitter: 0,
    throttledForMs: null,
    setAside: null,
  });
  await store.record(makeRecord(1, { id: request, account: userAccount(USER), userId: USER }));
  return { hold, request, held: HELD, spent: SPENT };
}

const BOUND = { input: picoUsd(HELD), perOutputToken: picoUsd(0n), outputTokensMax: 1, outputTokensMin: 1 } as const;

/** By the length that stands at the beginning of each record. */
function edgesOf(journal: Buffer): readonly number[] {
  const edges = [0];
  for (let at = 0; at < journal.length; ) {
    at += FRAME_HEAD_BYTES + journal.readUInt32LE(at);
    edges.push(at);
  }
  return edges;
}

/** Starts the next replica on a folder in which a dead one left these bytes, and stops it again. */
export async function replay(of: {
  readonly store: DurableStore;
  readonly folder: string;
  readonly dead: Pick<DeadReplica, 'name'>;
  readonly journal: Buffer;
}): Promise<void> {
  const left = join(of.folder, 'journal', of.dead.name);
  await mkdir(left, { recursive: true });
  await writeFile(join(left, FILE), of.journal);
  const { store } = await openJournaledStore({
    store: { ...of.store, [Symbol.asyncDispose]: async () => {} },
    dataDir: of.folder,
    replica: replicaId(newUuid()),
    clock: SYSTEM_CLOCK,
    log: SILENT_LOG,
    told: () => undefined,
  });
  await store[Symbol.asyncDispose]();
}
