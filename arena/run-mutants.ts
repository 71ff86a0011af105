import type { Mutant } from './mutants.ts';
import { mutantLines, type Outcome } from './report.ts';

/** Runs some experiments on a mutant. Answers how each ended. */
export type RunOn = (mutant: Mutant, experiments: readonly number[]) => Promise<readonly Outcome[]>;

/** How one experiment stood up to one mutant. One that could not run has caught nothing. */
export interface Hunt {
  readonly mutant: Mutant;
  readonly experiment: number;
  readonly isCaught: boolean;
  readonly outcome: Outcome;
}

/** Lets every mutant loose on the experiments that must catch it; of them, on those in `only` alone unless that is null. */
export async function runMutants(of: {
  readonly mutants: readonly Mutant[];
  readonly only: readonly number[] | null;
  readonly runOn: RunOn;
  readonly say: (line: string) => void;
}): Promise<readonly Hunt[]> {
  const hunts: Hunt[] = [];
  for (const mutant of of.mutants) {
    const chosen = mutant.caughtBy.filter((number) => of.only === null || of.only.includes(number));
    if (chosen.length === 0) continue;
    const outcomes = await of.runOn(mutant, chosen);
    for (const experiment of chosen) {
      const outcome = outcomes.find(({ number }) => number === experiment);
      if (outcome === undefined) throw new Error(`experiment ${experiment} was not run on ${mutant.name}`);
      const hunt = { mutant, experiment, isCaught: outcome.verdict === 'FAIL', outcome };
      hunts.push(hunt);
      for (const line of mutantLines(hunt)) of.say(line);
    }
  }
  return hunts;
}
