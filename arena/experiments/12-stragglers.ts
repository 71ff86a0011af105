import { Worker } from 'node:worker_threads';
import { reportTo } from '../../src/core/breaker.ts';
import { StoreUnavailable } from '../../src/core/unavailable.ts';
import { makeModel, makeProvider, makeRegistry } from '../../test/support/registries.ts';
import { commandsOf } from '../breakers/commands.ts';
import { makeCoreSubject, reportWithoutEpochs } from '../breakers/core-subject.ts';
import { drive, type Subject } from '../breakers/drive.ts';
import { LIBRARIES, type Library } from '../breakers/library-names.ts';
import { makeStoreSubject } from '../breakers/store-subject.ts';
import { NO_RUNS, type Tally, withDrive } from '../breakers/tally.ts';
import { type Context, defineExperiment, makeFaults } from '../support/experiment.ts';
import { openStores } from '../support/stores.ts';

const CORE_EVERY = 1_000;
/** A run asks for leave at most this often, and no slot may be what refuses it. */
const REQUESTS_PER_MINUTE = 100;
/** Each look reads all providers of a database, so that many of them make it slow. */
const RUNS_PER_DATABASE = 15;

/** Commands in random order, on the core, on PostgreSQL, and on two breakers of others, beside a model of the rules. */
export const stragglers = defineExperiment({
  number: 12,
  title: 'stragglers: random interleavings of attempts, reports, waits and resets',
  mustYield: '0 changes by a stale permit, never two probes, always as the model says',
  sizes: {
    quick: { coreRuns: 10_000, storeRuns: 15, libraryRuns: 300 },
    full: { coreRuns: 10_000, storeRuns: 300, libraryRuns: 10_000 },
  },
  async run(context, size) {
    const faults = makeFaults();
    const report = context.coreMutant === 'no-epoch' ? reportWithoutEpochs : reportTo;
    const core = await driveMany(
      context,
      { name: 'core', from: 1, to: size.coreRuns, makeSubject: () => makeCoreSubject(report) },
      NO_RUNS,
      faults.list,
    );
    const store = await driveStore(context, size.storeRuns, faults.list);
    for (const [name, tally] of [
      ['core', core],
      ['PostgreSQL', store],
    ] as const) {
      faults.expect(tally.lateReports > 0, `${name}: no report came late, so nothing was shown`);
      faults.expect(
        tally.runsWithLateChange === 0,
        `${name}: ${tally.runsWithLateChange} runs had a change by a stale permit`,
      );
      faults.expect(tally.runsWithSecondProbe === 0, `${name}: ${tally.runsWithSecondProbe} runs had two probes`);
    }
    const others = new Map<Library, Tally>();
    for (const library of LIBRARIES) {
      context.progress(`${size.libraryRuns} runs on ${library}`);
      others.set(library, await driveLibrary({ library, seed: context.seed, runs: size.libraryRuns }));
    }
    const share = (tally: Tally) => ((100 * tally.runsWithLateChange) / tally.runs).toFixed(1);
    const beside = [...others].map(([name, tally]) => `${name} ${share(tally)} % of ${tally.runs} runs`);
    return {
      figure: `${core.runsWithLateChange + store.runsWithLateChange} changes by a stale permit in ${core.runs} runs of the core and ${store.runs} of PostgreSQL, ${core.lateReports + store.lateReports} late reports; beside it ${beside.join(', ')}`,
      figures: {
        ...figuresOf('core', core),
        ...figuresOf('postgres', store),
        ...Object.assign({}, ...[...others].map(([name, tally]) => figuresOf(name, tally))),
      },
      faults: faults.list,
    };
  },
});

function figuresOf(name: string, tally: Tally): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(tally).map(([field, count]) => [`${name}.${field}`, count]));
}

async function driveMany(
  context: Context,
  of: {
    readonly name: string;
    readonly from: number;
    readonly to: number;
    readonly makeSubject: (run: number) => Subject | Promise<Subject>;
  },
  before: Tally,
  faults: string[],
): Promise<Tally> {
  let tally = before;
  for (let run = of.from; run <= of.to; run += 1) {
    if (run % CORE_EVERY === 0) context.progress(`${run} of ${of.to} runs on ${of.name}`);
    try {
      tally = withDrive(tally, await drive(await of.makeSubject(run), commandsOf(context.seed, run)));
    } catch (error) {
      faults.push(
        `${of.name}, run ${run}: not as the model says: ${String(error instanceof StoreUnavailable ? error.reason : error).replaceAll('\n', ' ')}`,
      );
      return tally;
    }
  }
  return tally;
}

async function driveStore(context: Context, runs: number, faults: string[]): Promise<Tally> {
  let tally = NO_RUNS;
  for (let from = 1; from <= runs && faults.length === 0; from += RUNS_PER_DATABASE) {
    context.progress(`run ${from} of ${runs} on PostgreSQL`);
    const to = Math.min(runs, from + RUNS_PER_DATABASE - 1);
    tally = await driveDatabase(context, { from, to }, tally, faults);
  }
  return tally;
}

/** A provider for each run, so that each begins with a fresh breaker. */
async function driveDatabase(
  context: Context,
  { from, to }: { readonly from: number; readonly to: number },
  before: Tally,
  faults: string[],
): Promise<Tally> {
  await using stack = new AsyncDisposableStack();
  const database = await (await context.sharedPostgres()).makeDatabase();
  const clock = await database.makeClock();
  const startMs = await clock.nowMs();
  const keys = Array.from({ length: to - from + 1 }, (_none, index) => `run-${from + index}`);
  const model = makeModel('any', '1');
  const registry = makeRegistry(
    ...keys.map((key) => makeProvider(key, [model], { requestsPerMinute: REQUESTS_PER_MINUTE })),
  );
  const [store] = await openStores(stack, { url: database.urlVia(), registry, count: 1 });
  if (store === undefined) throw new RangeError('no store');
  const makeSubject = async (run: number) => {
    const provider = registry.providers[run - from]?.key;
    if (provider === undefined) throw new RangeError(`no provider for run ${run}`);
    await clock.freezeAt(startMs);
    return makeStoreSubject({ store, provider, clock, startMs });
  };
  // Awaited here: the store must outlive the runs.
  return await driveMany(context, { name: 'PostgreSQL', from, to, makeSubject }, before, faults);
}

const LIBRARY_MS_MAX = 600_000;

async function driveLibrary(order: {
  readonly library: Library;
  readonly seed: number;
  readonly runs: number;
}): Promise<Tally> {
  const worker = new Worker(new URL('../breakers/library-worker.ts', import.meta.url), { workerData: order });
  const { promise, resolve, reject } = Promise.withResolvers<Tally>();
  const timer = setTimeout(() => reject(new Error(`${order.library} took too long`)), LIBRARY_MS_MAX);
  worker.once('message', resolve);
  worker.once('error', reject);
  worker.once('exit', () => reject(new Error(`the worker of ${order.library} ended without a word`)));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}
