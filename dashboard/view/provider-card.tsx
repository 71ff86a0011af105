import type { Breaker, ProviderCard } from '../model/room-state.ts';
import { shareText } from './number-text.ts';
import { onlyWhenChanged } from './only-when-changed.ts';
import { ProviderButtons } from './provider-buttons.tsx';
import { reasonOf, STANDING_WORDS, type Standing, simulationText, standingOf } from './provider-words.ts';
import type { Question } from './question-dialog.tsx';
import { RateLimitBar } from './rate-limit-bar.tsx';
import { useRoom } from './room-context.ts';
import { StateShape } from './state-shape.tsx';
import { clockText, countdownText, spanText } from './time-text.ts';

interface Props {
  readonly card: ProviderCard;
  readonly isSimulationBarred: boolean;
  readonly isOperationBarred: boolean;
  readonly ask: (question: Question) => void;
}

export const ProviderCardView = onlyWhenChanged(function ProviderCardView(props: Props) {
  const { card } = props;
  const standing = standingOf(card);
  const titleId = `provider-${card.key}`;
  return (
    <article class="card" data-standing={standing} aria-labelledby={titleId}>
      <div class="card-head">
        <StateShape standing={standing} share={card.trafficShare ?? 0} />
        <div class="card-names">
          <h3 id={titleId}>{card.name}</h3>
          <p class="card-state">{STANDING_WORDS[standing]}</p>
          {standing === 'CLOSED' ? <p class="card-share">{shareText(card.trafficShare)} of traffic</p> : null}
        </div>
        <NextProbe standing={standing} breaker={card.breaker} />
      </div>
      <Why card={card} standing={standing} />
      <CardNumbers card={card} />
      <RateLimitBar limit={card.rateLimit} />
      <ProviderButtons {...props} />
    </article>
  );
});

/** When it is tried again. */
function NextProbe({ standing, breaker }: { readonly standing: Standing; readonly breaker: Breaker }) {
  if (standing !== 'OPEN' || breaker.nextProbeAtMs === null) return null;
  return <Countdown untilMs={breaker.nextProbeAtMs} />;
}

function Countdown({ untilMs }: { readonly untilMs: number }) {
  const leftMs = untilMs - useRoom().now.value;
  return (
    <p class="countdown">
      <span class="countdown-name">{leftMs > 0 ? 'next probe in' : 'next probe'}</span>{' '}
      <span class="countdown-left" role="timer">
        {leftMs > 0 ? countdownText(leftMs) : 'with the next request'}
      </span>
    </p>
  );
}

/** Why it is as it is. Of a calm provider nothing is said. */
function Why({ card, standing }: { readonly card: ProviderCard; readonly standing: Standing }) {
  const { breaker, simulation } = card;
  const isTold = standing !== 'CLOSED' || breaker.consecutiveFailures > 0;
  if (!isTold && simulation === null) return null;
  return (
    <div class="card-why">
      {/* The simulation has a sentence of its own. */}
      {isTold ? (
        <p class="card-reason">{sentence(reasonOf({ ...card, simulation: null }), standing, breaker)}</p>
      ) : null}
      {simulation === null ? null : <p class="card-simulation">{simulationText(simulation)}</p>}
    </div>
  );
}

function sentence(reason: string, standing: Standing, breaker: Breaker): string {
  const text = `${reason.charAt(0).toUpperCase()}${reason.slice(1)}`;
  if (standing === 'CLOSED') return `${text}; it opens at ${breaker.failureThreshold}.`;
  if (standing === 'OPEN' && breaker.openedAtMs !== null)
    return `${text}. Open since ${clockText(breaker.openedAtMs)}.`;
  return `${text}.`;
}

function CardNumbers({ card }: { readonly card: ProviderCard }) {
  const latency = card.numbers?.latency;
  return (
    <dl class="card-numbers">
      <div>
        <dt>p50</dt>
        <dd>{spanText(latency?.p50Ms ?? null)}</dd>
      </div>
      <div>
        <dt>p95</dt>
        <dd>{spanText(latency?.p95Ms ?? null)}</dd>
      </div>
      <div>
        <dt>p99</dt>
        <dd>{spanText(latency?.p99Ms ?? null)}</dd>
      </div>
      <div>
        <dt>errors</dt>
        <dd>{shareText(card.errorShare)}</dd>
      </div>
    </dl>
  );
}
