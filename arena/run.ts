import { writeFile } from 'node:fs/promises';
import { EXPERIMENTS } from './experiments.ts';
import { type Options, parseOptions, USAGE } from './options.ts';
import { headLine, listOf, type Outcome, outcomeLines } from './report.ts';
import { runAll } from './runner.ts';
import { makeScratch } from './support/scratch.ts';

const EXIT = { passed: 0, failed: 1, usage: 2, interrupted: 130 } as const;

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
    case 'wrong':
      console.error(`${asked.message}\n\n${USAGE}`);
      return EXIT.usage;
    case 'run':
      return run(asked);
    default:
      return asked satisfies never;
  }
}

async function run(asked: Extract<Options, { kind: 'run' }>): Promise<number> {
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
  const chosen = EXPERIMENTS.filter(({ number }) => asked.only === null || asked.only.includes(number));
  console.log(headLine(asked));
  const outcomes: Outcome[] = [];
  const told = (outcome: Outcome) => {
    outcomes.push(outcome);
    for (const line of outcomeLines(outcome)) console.log(line);
  };
  const end = await runAll({ ...asked, experiments: chosen, scratch, told });
  if (asked.jsonPath !== null) {
    await writeFile(asked.jsonPath, `${JSON.stringify({ tier: asked.tier, seed: asked.seed, outcomes }, null, 2)}\n`);
  }
  const failed = outcomes.filter(({ verdict }) => verdict !== 'PASS').length;
  console.log(`${outcomes.length - failed} passed, ${failed} failed`);
  if (end === 'stuck') {
    // What does not end cannot be disposed of in good order either.
    await scratch.sweep();
    process.exit(EXIT.failed);
  }
  return failed === 0 ? EXIT.passed : EXIT.failed;
}
