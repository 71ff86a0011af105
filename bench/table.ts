import type { LoadResult } from './load.ts';

/** What a load or many streams found: a rate, and times in milliseconds. */
interface Figures {
  readonly rate: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export function printTable(callers: number, results: ReadonlyMap<string, readonly LoadResult[]>): void {
  const figuresOf = ({ requestsPerSecond: rate, p50Ms, p99Ms }: LoadResult) => ({ rate, p50Ms, p99Ms });
  printFigures(`${callers} callers | a second | ratio | p50 ms`, results, figuresOf);
}

/** The median of each figure over the rounds, and each rate as a share of the first row's. `head`: its first four columns. */
export function printFigures<Result>(
  head: string,
  results: ReadonlyMap<string, readonly Result[]>,
  figuresOf: (result: Result) => Figures,
): void {
  const rows = [...results].map(([name, rounds]) => {
    const median = (figure: keyof Figures) => medianOf(rounds.map((round) => figuresOf(round)[figure]));
    return { name, rate: median('rate'), p50Ms: median('p50Ms'), p99Ms: median('p99Ms') };
  });
  const [first] = rows;
  if (first === undefined) return;
  console.log(`\n| ${head} | added p50 | p99 ms | added p99 |`);
  console.log('|---|---:|---:|---:|---:|---:|---:|');
  for (const row of rows) {
    const figures = [
      row.rate.toFixed(0),
      (row.rate / first.rate).toFixed(2),
      row.p50Ms.toFixed(2),
      (row.p50Ms - first.p50Ms).toFixed(2),
      row.p99Ms.toFixed(2),
      (row.p99Ms - first.p99Ms).toFixed(2),
    ];
    console.log(`| ${row.name} | ${figures.join(' | ')} |`);
  }
}

function medianOf(figures: readonly number[]): number {
  const sorted = figures.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
