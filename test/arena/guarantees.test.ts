import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LIBRARIES } from '../../arena/breakers/library-names.ts';
import { EXPERIMENTS } from '../../arena/experiments.ts';
import { pageInForce, pageWithFigures } from '../../arena/guarantees.ts';
import { readMutants } from '../../arena/mutants.ts';
import type { RunReport } from '../../arena/report.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/guarantees.md'), 'utf8');
const NUMBERS = EXPERIMENTS.map(({ number }) => number);

describe('docs/guarantees.md', () => {
  test('has the experiments and the mutants that there are', async () => {
    expect(pageInForce(PAGE, { experiments: EXPERIMENTS, mutants: await readMutants() })).toBe(PAGE);
  });

  test('has a figure for each, none of them from a run that fell short', () => {
    const rows = [...PAGE.matchAll(/^\| (\d+) \| .+ \| (.+) \|$/gm)];
    expect(rows.map(([, number]) => Number(number))).toEqual(NUMBERS);
    for (const [, number, figure] of rows) expect(figure, number).not.toBe('not yet measured');
  });

  test('has a promise for each, in two sentences, with its command', () => {
    const promises = [...PAGE.matchAll(/^### (\d+)\. .+\n\n(.+(?:\n.+)*): `(npm run arena .+)`$/gm)];
    expect(promises.map(([, number]) => Number(number))).toEqual(NUMBERS);
    for (const [, number, mechanism = '', command] of promises) {
      expect(command).toBe(`npm run arena -- --full --only ${number}`);
      expect(mechanism.split(/\. /), number).toHaveLength(2);
    }
  });

  test('names the versions of the other breakers that are installed', () => {
    const { devDependencies } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'));
    for (const name of LIBRARIES) expect(PAGE).toContain(`\n| ${name} ${devDependencies[name]} | `);
  });

  test('is put right when an experiment or a mutant has changed', () => {
    const [first, ...rest] = EXPERIMENTS;
    const changed = pageInForce(PAGE, { experiments: [{ ...first!, mustYield: 'a | b' }, ...rest], mutants: [] });
    expect(changed).toContain(`| 1 | ${first!.title} | a \\| b | `);
    expect(changed).not.toContain('`check-then-insert` |');
  });
});

describe('figures', () => {
  const outcome = { title: '', faults: [], seconds: 1, isStuck: false, verdict: 'PASS' } as const;
  const run: RunReport = {
    tier: 'full',
    seed: 1,
    sizes: {},
    outcomes: [
      { ...outcome, number: 2, figure: 'a new $& figure', figures: {} },
      { ...outcome, number: 12, figure: 'late', figures: { 'core.runs': 7, 'opossum.runsWithLateChange': 5 } },
    ],
  };

  test('of a run take the place of the last ones, and the others stay', () => {
    const published = pageWithFigures(PAGE, run);
    const rowOf = (page: string, number: number) => new RegExp(`^\\| ${number} \\|.*`, 'm').exec(page)?.[0];
    expect(rowOf(published, 2)).toMatch(/\| a new \$& figure \|$/);
    expect(rowOf(published, 1)).toBe(rowOf(PAGE, 1));
    expect(published).toContain('| Switchyard, core | 7 | – | – | – |');
    expect(published).toContain('| opossum 10.0.0 | – | – | 5 | – |');
  });

  test.each([
    [{ ...run, tier: 'quick' as const }, 'only figures of the full tier'],
    [{ ...run, sizes: { kills: 3 } }, 'figures of other sizes'],
    [{ ...run, outcomes: [{ ...run.outcomes[0]!, verdict: 'FAIL' as const }] }, 'experiment 2 did not pass: FAIL'],
  ])('of a run that shows less are not published', (less, why) => {
    expect(() => pageWithFigures(PAGE, less)).toThrow(why);
  });
});
