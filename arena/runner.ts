import { within } from '../src/store/embedded/poll.ts';
import type { BrokenPiece } from './mutants.ts';
import type { Outcome } from './report.ts';
import { makeChance } from './support/chance.ts';
import { type Context, type Experiment, type Finding, type Size, type Tier, TooCrowded } from './support/experiment.ts';
import { type PostgresServer, startPostgres } from './support/postgres.ts';
import type { Scratch } from './support/scratch.ts';

export interface RunOrder {
  readonly experiments: readonly Experiment[];
  readonly tier: Tier;
  readonly seed: number;
  readonly sizes: Size;
  readonly scratch: Scratch;
  readonly told: (outcome: Outcome) => void;
  /** SQL that breaks a mechanism of every database. Default: none. */
  readonly mutation?: string;
  /** A function of the core to break. Default: none. */
  readonly coreMutant?: string;
  /** A piece of the service to break. Default: none. */
  readonly brokenPiece?: BrokenPiece;
}

/** Longer than any of them takes, so that one that hangs ends the run as failed. */
const LIMIT_MS = { quick: 300_000, full: 60 * 60_000 } as const satisfies Record<Tier, number>;

/** So often is an experiment begun that the machine has no room for. */
const CROWDED_TIMES_MAX = 3;

/** `stuck`: one of them did not end. What it holds cannot be disposed of, so nothing more is run. */
export type RunEnd = 'ended' | 'stuck';

/** In the quick tier those that claim no time run side by side: much of each is waiting. */
const LANES = { quick: 2, full: 1 } as const satisfies Record<Tier, number>;

/** Runs experiments, each in a scene of its own. */
export async function runAll(order: RunOrder): Promise<RunEnd> {
  const { scratch, mutation = null } = order;
  await using stack = new AsyncDisposableStack();
  let shared: Promise<PostgresServer> | null = null;
  const sharedPostgres = () => {
    shared ??= startPostgres({ scratch, mutation }).then((server) => stack.use(server));
    return shared;
  };
  let isStuck = false;
  const runLane = async (waiting: Experiment[]) => {
    for (let next = waiting.shift(); next !== undefined && !isStuck; next = waiting.shift()) {
      const outcome = await runOne(next, { ...order, sharedPostgres });
      order.told(outcome);
      isStuck ||= outcome.isStuck;
    }
  };
  const untimed = order.experiments
    .filter(({ isTimed }) => !isTimed)
    .toSorted((one, other) => Number(other.isLong) - Number(one.isLong));
  await Promise.all(Array.from({ length: LANES[order.tier] }, () => runLane(untimed)));
  await runLane(order.experiments.filter(({ isTimed }) => isTimed));
  if (!isStuck) return 'ended';
  stack.move();
  return 'stuck';
}

async function runOne(experiment: Experiment, order: RunOrder & Pick<Context, 'sharedPostgres'>): Promise<Outcome> {
  const { number, title } = experiment;
  const startedAtMs = performance.now();
  const seconds = () => (performance.now() - startedAtMs) / 1_000;
  const own = new AsyncDisposableStack();
  const { scratch, mutation = null } = order;
  const mishaps: string[] = [];
  const context: Context = {
    tier: order.tier,
    changedSizes: order.sizes,
    seed: order.seed,
    chance: makeChance(order.seed).fork(`experiment ${number}`),
    scratch,
    sharedPostgres: order.sharedPostgres,
    ownPostgres: async () => own.use(await startPostgres({ scratch, mutation })),
    coreMutant: order.coreMutant ?? null,
    brokenPiece: order.brokenPiece ?? null,
    mishap: (what) => mishaps.push(what),
    progress: (text) => console.error(`     ${number} ${seconds().toFixed(0).padStart(4)} s  ${text}`),
  };
  const couldNotRun = (why: string): Outcome => {
    const nothing = { figure: '–', figures: {}, faults: [why], isStuck: false };
    return { number, title, verdict: 'COULD NOT RUN', ...nothing, seconds: seconds() };
  };
  const running = runInPeace(experiment, context).then(
    (finding): Outcome => {
      const faults = [...mishaps, ...finding.faults];
      const verdict = faults.length === 0 ? 'PASS' : 'FAIL';
      return { number, title, verdict, ...finding, faults, seconds: seconds(), isStuck: false };
    },
    (error) => couldNotRun([...mishaps, ...errorLines(error)].join('\n')),
  );
  const limitMs = LIMIT_MS[order.tier];
  const outcome = await within(running, limitMs);
  if (outcome === null) return { ...couldNotRun(`it did not end within ${limitMs / 1_000} s`), isStuck: true };
  await own.disposeAsync();
  return outcome;
}

/** Again, when the machine was too crowded to show anything. What was shown counts, whatever it is. */
async function runInPeace(experiment: Experiment, context: Context): Promise<Finding> {
  for (let time = 1; ; time += 1) {
    try {
      return await experiment.run(context);
    } catch (error) {
      if (!(error instanceof TooCrowded) || time === CROWDED_TIMES_MAX) throw error;
      context.progress(`once more, because ${error.message}`);
    }
  }
}

/** With what went wrong first, when more went wrong while that was being cleared away. */
function errorLines(error: unknown): readonly string[] {
  if (error instanceof SuppressedError) return [...errorLines(error.suppressed), ...errorLines(error.error)];
  return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
}
