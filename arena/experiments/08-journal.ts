import { rm } from 'node:fs/promises';
import type postgres from 'postgres';
import type { Registry } from '../../src/core/registry.ts';
import type { DurableStore } from '../../src/ports/store.ts';
import { makeModel, makeRegistry, makeProvider as makeSpec } from '../../test/support/registries.ts';
import { bookFaults, doublePostings } from '../support/books.ts';
import { type Context, defineExperiment, makeFaults } from '../support/experiment.ts';
import { fillDisk } from '../support/full-disk.ts';
import { type DeadReplica, makeDeadReplica, replay } from '../support/journal-cuts.ts';
import { DEFAULT_CAP } from '../support/scene.ts';
import { openStores } from '../support/stores.ts';

const REQUESTS_PER_MINUTE = 10_000;
const LAST_RECORDS = 3;
const TELL_EVERY = 50;

/** The end of a journal is whatever the disk had when the power went; and a disk may be full. */
export const journal = defineExperiment({
  number: 8,
  title: 'journal cut at every byte of its last 3 records, bytes of it changed, disk full',
  mustYield: 'replay never throws, never double-posts; paid admissions stop',
  sizes: {
    quick: { everyBytes: 41, changes: 20, fullMs: 2_000 },
    full: { everyBytes: 1, changes: 500, fullMs: 10_000 },
  },
  async run(context, size) {
    const faults = makeFaults();
    const cuts = await cutEverywhere(context, size, faults.list);
    const disk = await fillDisk(context, size.fullMs);
    faults.list.push(...disk.faults);
    return {
      figure: `${cuts.replays} replays of ${cuts.cuts} cuts and ${size.changes} changed bytes: ${cuts.thrown} threw, ${cuts.doubles} posted twice; disk full: ${disk.sentWhileFull} calls sent, ${disk.refused} refused, ${disk.rowsLost} of ${disk.answered} rows lost`,
      figures: {
        cuts: cuts.cuts,
        replays: cuts.replays,
        thrown: cuts.thrown,
        doublePostings: cuts.doubles,
        sentWhileDiskFull: disk.sentWhileFull,
        refusedWhileDiskFull: disk.refused,
        rowsLost: disk.rowsLost,
      },
      faults: faults.list,
    };
  },
});

interface Bench {
  readonly context: Context;
  readonly store: DurableStore;
  readonly sql: postgres.Sql;
  readonly registry: Registry;
}

async function cutEverywhere(
  context: Context,
  size: { readonly everyBytes: number; readonly changes: number },
  faults: string[],
) {
  await using stack = new AsyncDisposableStack();
  const database = await (await context.sharedPostgres()).makeDatabase();
  const registry = makeRegistry(
    ...['a', 'b', 'c', 'd'].map((key) =>
      makeSpec(key, [makeModel('any', '1')], { requestsPerMinute: REQUESTS_PER_MINUTE }),
    ),
  );
  const [store] = await openStores(stack, { url: database.urlVia(), registry, count: 1 });
  if (store === undefined) throw new RangeError('no store');
  const bench = { context, store, sql: database.sql, registry };
  const found = { cuts: 0, replays: 0, thrown: 0 };
  const tryOne = async (
    what: string,
    change: (dead: DeadReplica) => { readonly journal: Buffer; readonly expected: Expected },
  ) => {
    const tried = await replayTwice(bench, change);
    found.replays += tried.replays;
    if (tried.thrown !== null) found.thrown += 1;
    if (tried.thrown !== null) faults.push(`${what}: replay threw ${tried.thrown}`);
    faults.push(...tried.faults.map((fault) => `${what}: ${fault}`));
  };
  for (const cut of await cutsOf(bench, size.everyBytes)) {
    if (found.cuts % TELL_EVERY === 0) context.progress(`cut ${cut} bytes before the end`);
    found.cuts += 1;
    await tryOne(`cut by ${cut} bytes`, (dead) => cutBy(dead, cut));
  }
  for (let change = 1; change <= size.changes; change += 1) {
    if (change % TELL_EVERY === 0) context.progress(`changed byte ${change} of ${size.changes}`);
    const place = context.chance.next();
    await tryOne(`changed byte ${change}`, (dead) => changedAt(dead, Math.floor(place * dead.journal.length)));
  }
  const doubles = await doublePostings(database.sql);
  faults.push(...doubles);
  faults.push(...(await bookFaults(database.sql, DEFAULT_CAP)).map(({ what, detail }) => `${what}: ${detail}`));
  return { ...found, doubles: doubles.length };
}

/** How the last chat may stand afterwards. */
interface Expected {
  readonly states: readonly string[];
  readonly isRecorded: boolean | null;
  /** Whether the older chat, whose records stand before, must be settled. */
  readonly isOlderSettled: boolean;
}

/** Bytes before the end: every so many, each run from another first one, and always those at the edges of records. */
async function cutsOf(bench: Bench, everyBytes: number): Promise<readonly number[]> {
  const folder = await bench.context.scratch.makeFolder('journal');
  const { journal: bytes, edges } = await makeDeadReplica({ ...bench, folder });
  const atEdges = edges.slice(-1 - LAST_RECORDS).map((edge) => bytes.length - edge);
  const most = Math.max(...atEdges);
  const first = bench.context.chance.int({ min: 0, max: everyBytes - 1 });
  const between = Array.from(
    { length: Math.ceil((most - first) / everyBytes) },
    (_none, step) => first + step * everyBytes,
  );
  return [...new Set([...atEdges, ...between])].toSorted((one, other) => one - other);
}

/** What a record says counts when all of it is there. A call that is not on record was not sent, so nothing was billed. */
function cutBy(dead: DeadReplica, bytes: number) {
  const length = dead.journal.length - bytes;
  const [, sent = 0, settled = 0, recorded = 0] = dead.edges.slice(-1 - LAST_RECORDS);
  const state = length >= settled ? 'posted' : length >= sent ? 'held' : 'voided';
  const expected: Expected = { states: [state], isRecorded: length >= recorded, isOlderSettled: true };
  return { journal: dead.journal.subarray(0, length), expected };
}

/** Nothing may be given back that could have been billed: whatever is damaged, the last chat is settled or left to expire. */
function changedAt(dead: DeadReplica, place: number) {
  const journal = Buffer.from(dead.journal);
  journal[place] = (journal[place] ?? 0) ^ 0xff;
  const expected: Expected = { states: ['posted', 'held'], isRecorded: null, isOlderSettled: false };
  return { journal, expected };
}

/** Twice, as when the first start is killed before it has removed what it carried out. */
async function replayTwice(
  bench: Bench,
  change: (dead: DeadReplica) => { readonly journal: Buffer; readonly expected: Expected },
): Promise<{ readonly replays: number; readonly thrown: string | null; readonly faults: readonly string[] }> {
  const folder = await bench.context.scratch.makeFolder('journal');
  const dead = await makeDeadReplica({ ...bench, folder });
  const { journal: bytes, expected } = change(dead);
  const faults: string[] = [];
  let replays = 0;
  try {
    for (const _time of ['first', 'second']) {
      await rm(folder, { recursive: true, force: true });
      await replay({ store: bench.store, folder, dead, journal: bytes });
      replays += 1;
      faults.push(...(await faultsOf(bench, dead, expected)));
    }
  } catch (error) {
    return { replays, thrown: String(error), faults };
  }
  await rm(folder, { recursive: true, force: true });
  return { replays, thrown: null, faults };
}

async function faultsOf({ sql }: Bench, dead: DeadReplica, expected: Expected): Promise<readonly string[]> {
  const rows = await sql`
    select h.id, h.state, coalesce(sum(e.amount), 0)::text as net,
      exists (select 1 from switchyard.request r where r.id = h.request_id) as is_recorded
    from switchyard.hold h left join switchyard.ledger_entry e on e.hold_id = h.id
    where h.id in (${dead.older.hold}, ${dead.last.hold}) group by h.id`;
  const last = rows.find(({ id }) => id === dead.last.hold);
  const older = rows.find(({ id }) => id === dead.older.hold);
  const faults = makeFaults();
  faults.expect(
    expected.states.includes(last?.state),
    `the last hold is ${last?.state}, not ${expected.states.join(' or ')}`,
  );
  const spent = last?.state === 'posted' ? dead.last.spent : 0n;
  faults.expect(BigInt(last?.net ?? -1) === spent, `the last hold came to ${last?.net}, not ${spent}`);
  const isRecordedAsExpected = expected.isRecorded === null || last?.is_recorded === expected.isRecorded;
  faults.expect(isRecordedAsExpected, `the last chat is ${last?.is_recorded ? '' : 'not '}in the request log`);
  const isOlderSettled = older?.state === 'posted' && BigInt(older.net) === dead.older.spent;
  faults.expect(isOlderSettled || !expected.isOlderSettled, `the older hold is ${older?.state} at ${older?.net}`);
  faults.expect(older?.state !== 'voided', 'the older hold was given back');
  return faults.list;
}
