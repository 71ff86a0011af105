import type { Classification } from './category.ts';
import type { AttemptReport, CandidateReport } from './decision.ts';

/** One sentence for a person: what was chosen, for what kind of prompt, and why. */
export function summarise(decision: {
  readonly classification: Classification;
  readonly candidates: readonly CandidateReport[];
  readonly attempts: readonly AttemptReport[];
}): string {
  const { classification, candidates, attempts } = decision;
  const { category } = classification;
  const kind = `${category === 'analysis' ? 'an' : 'a'} ${category} prompt`;
  const eligible = candidates.filter((candidate) => candidate.rank !== null);
  const failed = attempts.filter((attempt) => attempt.outcome !== 'succeeded');
  const answered = attempts.find((attempt) => attempt.outcome === 'succeeded');
  if (answered !== undefined) {
    const after = failed.length === 0 ? '' : ` after ${failed.map(describeFailure).join(', ')}`;
    return `${nameOf(answered)} answered ${kind}${after}; ${describeField(eligible, candidates)}.`;
  }
  if (failed.length > 0) return `Nobody answered ${kind}: ${failed.map(describeFailure).join(', ')}.`;
  const first = eligible[0];
  if (first === undefined) return `Nobody can take ${kind}: ${describeRejections(candidates)}.`;
  return `${nameOf(first)} is first for ${kind}: ${describeScore(first)}; ${describeField(eligible, candidates)}.`;
}

function describeFailure(attempt: AttemptReport): string {
  return `${attempt.provider} failed (${attempt.outcome})`;
}

function describeScore(candidate: CandidateReport): string {
  const terms = candidate.scoreTerms.map((term) => `${term.name} ${term.value.toFixed(2)}`);
  return `score ${(candidate.score ?? 0).toFixed(3)} from ${terms.join(', ')}`;
}

function describeField(eligible: readonly CandidateReport[], candidates: readonly CandidateReport[]): string {
  const refused = candidates.length - eligible.length;
  const best = eligible.length === 1 ? 'the only one eligible' : `best of ${eligible.length}`;
  return refused === 0 ? best : `${best}, ${refused} refused`;
}

function describeRejections(candidates: readonly CandidateReport[]): string {
  return candidates.map((candidate) => `${nameOf(candidate)} ${candidate.rejection?.reason ?? 'eligible'}`).join(', ');
}

function nameOf(of: { readonly provider: string; readonly model: string }): string {
  return `${of.provider}/${of.model}`;
}
