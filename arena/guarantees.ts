import type { Mutant } from './mutants.ts';
import type { Outcome, RunReport } from './report.ts';
import type { Experiment } from './support/experiment.ts';

/** Parts of docs/guarantees.md that are written by the arena, each between two marks. */
const PARTS = ['figures', 'breakers', 'mutants'] as const;

type Part = (typeof PARTS)[number];

/** The page with everything in it that the code knows: numbers, titles and mutants. Figures stay as they are. */
export function pageInForce(
  page: string,
  of: { readonly experiments: readonly Experiment[]; readonly mutants: readonly Mutant[] },
): string {
  const before = rowsOf(partOf(page, 'figures'));
  const rows = of.experiments.map(({ number, title, mustYield }) => {
    const figure = before.find(([first]) => first === String(number))?.[3] ?? 'not yet measured';
    return [String(number), title, mustYield, figure];
  });
  const mutants = of.mutants.map(({ name, breaks, caughtBy }) => [`\`${name}\``, breaks, caughtBy.join(', ')]);
  const withRows = withPart(page, 'figures', tableOf(['#', 'Experiment', 'Must yield', 'Last figure'], rows));
  return withPart(withRows, 'mutants', tableOf(['Mutant', 'What it breaks', 'Caught by'], mutants));
}

/** The page with the figures of a run. Throws when it was no run of which figures may be told. */
export function pageWithFigures(page: string, run: RunReport): string {
  if (run.tier !== 'full') throw new Error('only figures of the full tier are published: run with --full');
  if (Object.keys(run.sizes).length > 0) throw new Error('figures of other sizes than the tier has are not published');
  const fallen = run.outcomes.find(({ verdict }) => verdict !== 'PASS');
  if (fallen !== undefined) throw new Error(`experiment ${fallen.number} did not pass: ${fallen.verdict}`);
  const rows = rowsOf(partOf(page, 'figures')).map((row) => {
    const outcome = run.outcomes.find(({ number }) => String(number) === row[0]);
    return outcome === undefined ? row : [...row.slice(0, 3), outcome.figure];
  });
  const [head, ...rest] = rows;
  const withRows = withPart(page, 'figures', tableOf(head ?? [], rest));
  const stragglers = run.outcomes.find(({ number }) => number === STRAGGLERS);
  return stragglers === undefined ? withRows : withPart(withRows, 'breakers', breakerTable(stragglers));
}

const STRAGGLERS = 12;

/** Names in the figures of that experiment, and here. */
const BREAKERS = [
  ['core', 'Switchyard, core'],
  ['postgres', 'Switchyard, on PostgreSQL'],
  ['cockatiel', 'cockatiel 4.0.0'],
  ['opossum', 'opossum 10.0.0'],
] as const;

function breakerTable({ figures }: Outcome): string {
  const cell = (name: string, figure: string) => String(figures[`${name}.${figure}`] ?? '–');
  const counted = ['runs', 'lateReports', 'runsWithLateChange', 'runsWithSecondProbe'];
  return tableOf(
    ['Breaker', 'Runs', 'Late reports', 'Runs in which one changed a newer state', 'Runs with a second probe at once'],
    BREAKERS.map(([name, title]) => [title, ...counted.map((figure) => cell(name, figure))]),
  );
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lineOf = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [lineOf(head), `|${'---|'.repeat(head.length)}`, ...rows.map(lineOf)].join('\n');
}

/** Cells of a table, its head first. */
function rowsOf(table: string): readonly (readonly string[])[] {
  return table
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) =>
      line
        .slice(2, -2)
        .split(' | ')
        .map((cell) => cell.replaceAll('\\|', '|')),
    );
}

function marksOf(part: Part): readonly [string, string] {
  return [`<!-- ${part}: written by npm run arena -->\n`, `\n<!-- end of ${part} -->`];
}

function partOf(page: string, part: Part): string {
  const [start, end] = marksOf(part);
  const [, rest] = page.split(start);
  const [inside, ...others] = rest?.split(end) ?? [];
  if (inside === undefined || others.length !== 1) throw new Error(`docs/guarantees.md has lost its marks of ${part}`);
  return inside;
}

function withPart(page: string, part: Part, text: string): string {
  const [start, end] = marksOf(part);
  return page.replace(`${start}${partOf(page, part)}${end}`, () => `${start}${text}${end}`);
}
