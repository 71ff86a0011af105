import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import postgres from 'postgres';
import { describe, expect, test } from 'vitest';
import { EXPERIMENTS } from '../../arena/experiments.ts';
import { type Mutant, parseMutant, readMutants } from '../../arena/mutants.ts';
import type { Outcome } from '../../arena/report.ts';
import { runMutants } from '../../arena/run-mutants.ts';
import { mutate } from '../../arena/support/mutation.ts';
import { makeDatabase } from '../support/store-database.ts';

const MUTANTS = await readMutants();
const IN_SOURCE = MUTANTS.flatMap(({ name, mutation }) =>
  mutation.kind === 'source' ? [{ name, ...mutation.piece }] : [],
);
const IN_SQL = MUTANTS.flatMap(({ name, mutation }) =>
  mutation.kind === 'sql' ? [{ name, text: mutation.text }] : [],
);

/** A migrated database, and a connection to it. */
async function openDatabase(stack: AsyncDisposableStack): Promise<postgres.Sql> {
  const { url } = stack.use(await makeDatabase());
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  stack.defer(() => sql.end({ timeout: 1 }));
  return sql;
}

describe('the mutants', () => {
  test('break a mechanism each, and name experiments that there are', () => {
    expect(MUTANTS.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['check-then-insert', 'refund-on-expiry', 'no-epoch', 'fixed-window', 'no-epoch-in-core']),
    );
    const known = EXPERIMENTS.map(({ number }) => number);
    for (const { name, breaks, caughtBy } of MUTANTS) {
      expect(breaks, name).toMatch(/\.$/);
      expect(known, name).toEqual(expect.arrayContaining([...caughtBy]));
    }
  });

  test.each(IN_SQL)('$name replaces what the migrated database really calls', async ({ text }) => {
    await using stack = new AsyncDisposableStack();
    await mutate(await openDatabase(stack), text);
  });

  test.each(IN_SOURCE)('$name replaces what stands once in src/$file', ({ file, whole, broken }) => {
    const source = readFileSync(join(import.meta.dirname, '../../src', file), 'utf8');
    expect(source.split(whole)).toHaveLength(2);
    expect(broken).not.toBe(whole);
  });

  test.each([
    [
      'adds what nobody calls',
      'create function switchyard.is_current(text) returns boolean language sql as $$ select true $$',
    ],
    ['renames what is then missed', 'alter function switchyard.reap(integer) rename to reap_unbroken'],
  ])('one that %s does not fit, and says so', async (_how, text) => {
    await using stack = new AsyncDisposableStack();
    const sql = await openDatabase(stack);
    await expect(mutate(sql, text)).rejects.toThrow('the mutant does not fit the migrated database: ');
  });

  test('a file must say what it breaks and who notices', () => {
    expect(parseMutant('a-b.sql', '-- Breaks: it.\n-- Caught by: 3, 12\nselect 1;')).toMatchObject({
      name: 'a-b',
      breaks: 'it.',
      caughtBy: [3, 12],
    });
    expect(() => parseMutant('a-b.sql', 'select 1;')).toThrow('a-b.sql must begin with two lines');
  });
});

describe('a hunt', () => {
  const mutant: Mutant = {
    name: 'planted',
    breaks: 'something.',
    caughtBy: [1, 2, 3],
    mutation: { kind: 'sql', text: '' },
  };
  const ended = { title: '', figure: '', figures: {}, faults: ['why'], seconds: 1, isStuck: false };
  const verdicts = ['FAIL', 'PASS', 'COULD NOT RUN'] as const;
  const runOn = async (_mutant: Mutant, experiments: readonly number[]): Promise<readonly Outcome[]> =>
    experiments.map((number) => ({ ...ended, number, verdict: verdicts[number - 1] ?? 'PASS' }));

  test('counts a mutant as caught only by an experiment that ran and fell short', async () => {
    const said: string[] = [];
    const say = (line: string) => void said.push(line);
    const hunts = await runMutants({ mutants: [mutant], only: null, runOn, say });
    expect(hunts.map(({ isCaught }) => isCaught)).toEqual([true, false, false]);
    expect(said.filter((line) => line.includes('planted'))).toEqual([
      'CAUGHT planted by experiment 1 (1.0 s)',
      'SURVIVED planted by experiment 2 (1.0 s)',
      'COULD NOT RUN planted by experiment 3 (1.0 s)',
    ]);
  });

  test('leaves out those that other experiments must catch', async () => {
    const say = () => undefined;
    expect(await runMutants({ mutants: [mutant], only: [7], runOn, say })).toEqual([]);
    expect(await runMutants({ mutants: [mutant], only: [2, 7], runOn, say })).toHaveLength(1);
  });

  test('does not take an experiment for run that was not', async () => {
    const order = { mutants: [mutant], only: null, runOn: async () => [], say: () => undefined };
    await expect(runMutants(order)).rejects.toThrow('experiment 1 was not run on planted');
  });
});
