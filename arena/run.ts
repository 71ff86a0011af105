import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EXPERIMENTS } from './experiments.ts';
import { pageInForce, pageWithFigures } from './guarantees.ts';
import { type Mutation, readMutants } from './mutants.ts';
import { type Options, parseOptions, USAGE } from './options.ts';
import { headLine, listOf, type Outcome, outcomeLines, type RunReport } from './report.ts';
import { type RunOn, runMutants } from './run-mutants.ts';
import { type RunEnd, type RunOrder, runAll } from './runner.ts';
import type { Experiment } from './support/experiment.ts';
import { makeScratch, type Scratch } from './support/scratch.ts';

const EXIT = { passed: 0, failed: 1, usage: 2, interrupted: 130 } as const;
const PAGE = join(import.meta.dirname, '../docs/guarantees.md');

const options = parseOptions(
  process.argv.slice(2),
  EXPERIMENTS.map(({ number }) => number),
);
const code = await main(options);
// Not left to Node, which waits for ever for the handle of a socket that was cut in mid-write.
process.exit(code);

async function main(asked: Options): Promise<number> {
  switch (asked.kind) {
    case 'help':
      console.log(USAGE);
      return EXIT.passed;
    case 'list':
      console.log(listOf(EXPERIMENTS));
      return EXIT.passed;
    case 'publish':
      return publish(asked.path);
    case 'wrong':
      console.error(`${asked.message}\n\n${USAGE}`);
      return EXIT.usage;
    case 'run':
      return run(asked);
    default:
      return asked satisfies never;
  }
}

async function publish(path: string): Promise<number> {
  const run: RunReport = JSON.parse(await readFile(path, 'utf8'));
  const page = await readFile(PAGE, 'utf8');
  try {
    const now = pageInForce(page, { experiments: EXPERIMENTS, mutants: await readMutants() });
    await writeFile(PAGE, pageWithFigures(now, run));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return EXIT.failed;
  }
  console.log(`docs/guarantees.md has the figures of ${run.outcomes.length} experiments`);
  return EXIT.passed;
}

type Asked = Extract<Options, { kind: 'run' }>;

async function run(asked: Asked): Promise<number> {
  await using scratch = await makeScratch({ isKept: asked.isKept });
  if (asked.isKept) console.error(`everything is kept in ${scratch.folder}`);
  // Ctrl-C, and whatever nobody expected: the keeper does what it does after a kill -9, and we wait for it.
  const leave = (code: number) => {
    void scratch.sweep().then(() => process.exit(code));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => leave(EXIT.interrupted));
  for (const fault of ['uncaughtException', 'unhandledRejection'] as const) {
    process.once(fault, (error) => {
      console.error(error);
      leave(EXIT.failed);
    });
  }
  console.log(headLine(asked));
  const report = asked.isMutants ? await hunt(asked, scratch) : await putToTheTest(asked, scratch);
  if (asked.jsonPath !== null) await writeFile(asked.jsonPath, `${JSON.stringify(report.json, null, 2)}\n`);
  console.log(`${report.passed} passed, ${report.failed} failed`);
  if (report.end === 'stuck') {
    // What does not end cannot be disposed of in good order either.
    await scratch.sweep();
    process.exit(EXIT.failed);
  }
  return report.failed === 0 ? EXIT.passed : EXIT.failed;
}

interface Report {
  readonly passed: number;
  readonly failed: number;
  readonly end: RunEnd;
  readonly json: object;
}

async function putToTheTest(asked: Asked, scratch: Scratch): Promise<Report> {
  const outcomes: Outcome[] = [];
  const told = (outcome: Outcome) => {
    outcomes.push(outcome);
    for (const line of outcomeLines(outcome)) console.log(line);
  };
  const end = await runAll({ ...asked, experiments: chosenOf(asked.only), scratch, told });
  const passed = outcomes.filter(({ verdict }) => verdict === 'PASS').length;
  const { tier, seed, sizes } = asked;
  const json: RunReport = { tier, seed, sizes, outcomes };
  return { passed, failed: outcomes.length - passed, end, json };
}

async function hunt(asked: Asked, scratch: Scratch): Promise<Report> {
  let end: RunEnd = 'ended';
  const runOn: RunOn = async ({ mutation }, experiments) => {
    const outcomes: Outcome[] = [];
    const told = (outcome: Outcome) => void outcomes.push(outcome);
    const ran = await runAll({ ...asked, ...brokenBy(mutation), experiments: chosenOf(experiments), scratch, told });
    if (ran === 'stuck') end = ran;
    return outcomes;
  };
  const hunts = await runMutants({ mutants: await readMutants(), only: asked.only, runOn, say: console.log });
  if (hunts.length === 0) console.error('no mutant is to be caught by these experiments, so nothing was shown');
  const passed = hunts.filter(({ isCaught }) => isCaught).length;
  const told = hunts.map(({ mutant, ...rest }) => ({ mutant: mutant.name, ...rest }));
  return { passed, failed: Math.max(1, hunts.length) - passed, end, json: { seed: asked.seed, mutants: told } };
}

function brokenBy(mutation: Mutation): Pick<RunOrder, 'mutation' | 'coreMutant' | 'brokenPiece'> {
  switch (mutation.kind) {
    case 'sql':
      return { mutation: mutation.text };
    case 'core':
      return { coreMutant: mutation.name };
    case 'source':
      return { brokenPiece: mutation.piece };
    default:
      return mutation satisfies never;
  }
}

function chosenOf(only: readonly number[] | null): readonly Experiment[] {
  return EXPERIMENTS.filter(({ number }) => only === null || only.includes(number));
}
