import type { Hunt } from './run-mutants.ts';
import type { Experiment, Size, Tier } from './support/experiment.ts';

/** How one experiment ended. One that could not run has not passed. */
export interface Outcome {
  readonly number: number;
  readonly title: string;
  readonly verdict: 'PASS' | 'FAIL' | 'COULD NOT RUN';
  readonly figure: string;
  readonly figures: Readonly<Record<string, number>>;
  readonly faults: readonly string[];
  readonly seconds: number;
  /** It did not end within its limit. */
  readonly isStuck: boolean;
}

/** A whole run, as `--json` writes it. */
export interface RunReport {
  readonly tier: Tier;
  readonly seed: number;
  /** What was changed by `--set`. */
  readonly sizes: Size;
  readonly outcomes: readonly Outcome[];
}

export function headLine(of: { readonly tier: Tier; readonly seed: number; readonly sizes: Size }): string {
  const changed = Object.keys(of.sizes).length === 0 ? '' : `, with ${sizeOf(of.sizes)}`;
  return `Switchyard arena, ${of.tier} tier, seed ${of.seed}${changed}`;
}

/** The line of an experiment, and its faults below it. */
export function outcomeLines(outcome: Outcome): readonly string[] {
  const { number, verdict, title, figure, seconds, faults } = outcome;
  const head = `${verdict.padEnd(4)} ${String(number).padStart(2)} ${title}: ${figure} (${seconds.toFixed(1)} s)`;
  return [head, ...faults.map((fault) => `        ${fault}`)];
}

/** The line of a mutant, and below it by what it was noticed. */
export function mutantLines({ mutant, experiment, isCaught, outcome }: Hunt): readonly string[] {
  const could = outcome.verdict === 'COULD NOT RUN' ? 'COULD NOT RUN' : 'SURVIVED';
  const head = `${isCaught ? 'CAUGHT' : could} ${mutant.name} by experiment ${experiment} (${outcome.seconds.toFixed(1)} s)`;
  const faults = outcome.faults.slice(0, MUTANT_FAULTS_MAX).map((fault) => `        ${fault}`);
  return [head, `        ${mutant.breaks}`, ...faults];
}

/** One is enough to have noticed. */
const MUTANT_FAULTS_MAX = 2;

export function listOf(experiments: readonly Experiment[]): string {
  return experiments
    .map(({ number, title, mustYield, sizes }) =>
      [
        `${String(number).padStart(2)} ${title}`,
        `   must yield: ${mustYield}`,
        `   quick: ${sizeOf(sizes.quick)}`,
        `   full:  ${sizeOf(sizes.full)}`,
      ].join('\n'),
    )
    .join('\n');
}

function sizeOf(size: Size): string {
  return Object.entries(size)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}
