import { expect, test } from 'vitest';
import type { Outcome } from '../../arena/report.ts';
import { runAll } from '../../arena/runner.ts';
import { defineExperiment, type Finding, TooCrowded } from '../../arena/support/experiment.ts';
import { makeScratch } from '../../arena/support/scratch.ts';

const FINE: Finding = { figure: 'all of it', figures: {}, faults: [] };
const SIZES = { quick: { count: 1 }, full: { count: 2 } };

function experimentOf(number: number, run: () => Promise<Finding>, changes: { readonly isLong?: boolean } = {}) {
  return defineExperiment({ number, title: `number ${number}`, mustYield: 'all', sizes: SIZES, run, ...changes });
}

async function runQuick(...experiments: readonly ReturnType<typeof experimentOf>[]): Promise<readonly Outcome[]> {
  await using scratch = await makeScratch({ isKept: false });
  const outcomes: Outcome[] = [];
  const told = (outcome: Outcome) => void outcomes.push(outcome);
  const end = await runAll({ experiments, tier: 'quick', seed: 1, sizes: {}, scratch, told });
  expect(end).toBe('ended');
  return outcomes;
}

test('an experiment passes when nothing fell short, fails when something did, and has not run when it threw', async () => {
  const outcomes = await runQuick(
    experimentOf(1, async () => FINE),
    experimentOf(2, async () => ({ ...FINE, faults: ['one row was lost'] })),
    experimentOf(3, () => Promise.reject(new Error('no PostgreSQL'))),
  );
  const byNumber = outcomes.toSorted((one, other) => one.number - other.number);
  expect(byNumber.map(({ verdict }) => verdict)).toEqual(['PASS', 'FAIL', 'COULD NOT RUN']);
  expect(byNumber[1]?.faults).toEqual(['one row was lost']);
  expect(byNumber[2]?.faults[0]).toContain('no PostgreSQL');
});

test('what a machine had no room for is begun again, and never counts as passed', async () => {
  let times = 0;
  const outcomes = await runQuick(
    experimentOf(1, async () => {
      times += 1;
      if (times < 3) throw new TooCrowded('the machine alone took 400 ms');
      return FINE;
    }),
    experimentOf(2, () => Promise.reject(new TooCrowded('the machine alone took 500 ms'))),
  );
  const byNumber = outcomes.toSorted((one, other) => one.number - other.number);
  expect(byNumber.map(({ verdict }) => verdict)).toEqual(['PASS', 'COULD NOT RUN']);
  expect(byNumber[1]?.faults[0]).toContain('500 ms');
});

test('a fault is not begun again', async () => {
  let times = 0;
  const outcomes = await runQuick(
    experimentOf(1, async () => {
      times += 1;
      return { ...FINE, faults: ['over-spent'] };
    }),
  );
  expect([times, outcomes[0]?.verdict]).toEqual([1, 'FAIL']);
});

test('what went wrong first is told, also when clearing away went wrong too', async () => {
  const [outcome] = await runQuick(
    experimentOf(1, async () => {
      await using stack = new AsyncDisposableStack();
      stack.defer(() => Promise.reject(new Error('a door that is closed already')));
      throw new Error('the first thing');
    }),
  );
  expect(outcome?.faults[0]).toMatch(/the first thing.*a door that is closed already/s);
});

test('the long ones begin first', async () => {
  const begun: number[] = [];
  const begin = (number: number) => async () => {
    begun.push(number);
    return FINE;
  };
  await runQuick(
    experimentOf(1, begin(1)),
    experimentOf(2, begin(2)),
    experimentOf(3, begin(3), { isLong: true }),
    experimentOf(4, begin(4), { isLong: true }),
  );
  expect(begun.slice(0, 2)).toEqual([3, 4]);
});
