import type { LoadResult } from './load.ts';

/** The median of each figure over the rounds, and each rate as a share of the first row's. */
export function printTable(callers: number, results: ReadonlyMap<string, readonly LoadResult[]>): void {
  const rows = [...results].map(([name, rounds]) => ({
    name,
    rate: medianOf(rounds.map((round) => round.requestsPerSecond)),
    p50Ms: medianOf(rounds.map((round) => round.p50Ms)),
    p99Ms: medianOf(rounds.map((round) => round.p99Ms)),
  }));
  const [first] = rows;
  if (first === undefined) return;
  console.log(`\n| ${callers} callers | a second | ratio | p50 ms | added p50 | p99 ms | added p99 |`);
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

export function medianOf(figures: readonly number[]): number {
  const sorted = figures.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
