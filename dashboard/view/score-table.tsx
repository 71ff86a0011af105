import type { Candidate } from '../model/room-state.ts';
import { moneyTextShort } from './money-text.ts';
import { UNKNOWN } from './number-text.ts';
import { ScrollRegion } from './scroll-region.tsx';
import { spanText } from './time-text.ts';

type Term = Candidate['terms'][number];

/** Every provider and model that was considered, with the sum that ranked it, or the reason that kept it out. */
export function ScoreTable({ candidates }: { readonly candidates: readonly Candidate[] }) {
  const names = [...new Set(candidates.flatMap(({ terms }) => terms.map(({ name }) => name)))];
  return (
    <ScrollRegion label="Candidates and their scores">
      <table class="score-table">
        <thead>
          <tr>
            <th scope="col" class="number">
              Rank
            </th>
            <th scope="col">Candidate</th>
            {names.map((name) => (
              <th key={name} scope="col" class="number">
                {name}
              </th>
            ))}
            <th scope="col" class="number">
              Sum
            </th>
            <th scope="col" class="number">
              Cost
            </th>
            <th scope="col" class="number">
              Takes
            </th>
          </tr>
        </thead>
        <tbody>
          {candidates.map((candidate) => (
            <CandidateRow key={`${candidate.provider}/${candidate.model}`} candidate={candidate} names={names} />
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}

function CandidateRow({ candidate, names }: { readonly candidate: Candidate; readonly names: readonly string[] }) {
  const { provider, model, rank, score, rejection } = candidate;
  const name = (
    <th scope="row">
      {provider}
      <span class="score-model">{model}</span>
    </th>
  );
  if (rejection !== null)
    return (
      <tr class="score-refused">
        <td class="number">{UNKNOWN}</td>
        {name}
        <td colSpan={names.length + 3}>
          <strong>{rejection.reason.toLowerCase().replaceAll('_', ' ')}</strong>: {rejection.detail}
        </td>
      </tr>
    );
  return (
    <tr class={rank === 1 ? 'score-best' : undefined}>
      <td class="number">{rank ?? UNKNOWN}</td>
      {name}
      {names.map((term) => (
        <TermCell key={term} term={candidate.terms.find((found) => found.name === term) ?? null} />
      ))}
      <td class="number score-sum">{score === null ? UNKNOWN : score.toFixed(3)}</td>
      <td class="number">{moneyTextShort(candidate.estimatedCostUsd)}</td>
      <td class="number">{spanText(candidate.estimatedLatencyMs)}</td>
    </tr>
  );
}

function TermCell({ term }: { readonly term: Term | null }) {
  if (term === null) return <td class="number">{UNKNOWN}</td>;
  return (
    <td class="number">
      {(term.value * term.weight).toFixed(3)}
      <span class="score-product">
        {term.value.toFixed(2)} × {term.weight}
      </span>
    </td>
  );
}
