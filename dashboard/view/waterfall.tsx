import type { AttemptDetail } from '../model/room-state.ts';
import { moneyText } from './money-text.ts';
import { OUTCOME_WORDS } from './provider-words.ts';
import { spanText } from './time-text.ts';

/** The calls that were made, one after the other, each as long as it took. */
export function Waterfall({ attempts }: { readonly attempts: readonly AttemptDetail[] }) {
  const totalMs = Math.max(1, sumOf(attempts));
  if (attempts.length === 0) return <p class="note">Nobody was called.</p>;
  return (
    <ol class="waterfall">
      {attempts.map((attempt, index) => (
        <Bar
          key={attempt.number}
          attempt={attempt}
          start={sumOf(attempts.slice(0, index)) / totalMs}
          length={attempt.durationMs / totalMs}
        />
      ))}
    </ol>
  );
}

interface BarProps {
  readonly attempt: AttemptDetail;
  /** Both as shares of the whole time. */
  readonly start: number;
  readonly length: number;
}

function Bar({ attempt, start, length }: BarProps) {
  const isGood = attempt.outcome === 'SUCCEEDED';
  const status = attempt.httpStatus === null ? '' : ` (HTTP ${attempt.httpStatus})`;
  return (
    <li data-outcome={isGood ? 'good' : 'bad'}>
      <p class="waterfall-text">
        <span>
          {attempt.provider}/{attempt.model}
        </span>{' '}
        <span class={isGood ? 'path-good' : 'path-bad'}>
          {isGood ? '✓' : '✗'} {OUTCOME_WORDS[attempt.outcome]}
          {status}
        </span>{' '}
        <span class="waterfall-figures">
          {spanText(attempt.durationMs)}, {moneyText(attempt.costUsd)}
        </span>
      </p>
      <div class="waterfall-track" aria-hidden="true">
        <div
          class="waterfall-bar"
          style={{ marginInlineStart: `${start * 100}%`, inlineSize: `${Math.max(length * 100, 0.5)}%` }}
        />
      </div>
      {attempt.errorMessage === null ? null : (
        <p class="waterfall-error">
          {attempt.errorMessage}.{' '}
          {attempt.isCountedByBreaker ? 'Counted by the breaker.' : 'Not counted by the breaker.'}
        </p>
      )}
    </li>
  );
}

function sumOf(attempts: readonly AttemptDetail[]): number {
  return attempts.reduce((sum, { durationMs }) => sum + durationMs, 0);
}
