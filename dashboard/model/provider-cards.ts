import type { AllProvidersQuery, BreakerEventsSubscription, ProviderNowFragment } from '../documents.generated.ts';
import { breakerNowOf, cardOf, changeOf, numbersOf, standingOf, type Tick } from './reading.ts';
import { type Breaker, type BreakerChange, type Decision, LIMITS, type ProviderCard } from './room-state.ts';
import { kept } from './same.ts';

type Cards = readonly ProviderCard[];

/** The registry as it is now. What is known of the numbers stays. */
export function withProviders(cards: Cards, { providers }: AllProvidersQuery): Cards {
  const told = providers.map((provider) => {
    const fresh = cardOf(provider);
    const old = cards.find(({ key }) => key === fresh.key);
    if (old === undefined) return fresh;
    const { numbers, trafficShare, errorShare, lastFailure } = old;
    const isNewer = fresh.breaker.epoch >= old.breaker.epoch;
    const breaker = isNewer ? { ...fresh.breaker, ...historyOf(fresh.breaker, old.breaker.history) } : old.breaker;
    return kept(old, { ...fresh, breaker, numbers, trafficShare, errorShare, lastFailure });
  });
  return sameList(cards, told);
}

/** One provider as it is now. */
export function withStanding(cards: Cards, now: ProviderNowFragment): Cards {
  return changed(cards, now.key, (card) => withNow(card, now));
}

export function withTick(cards: Cards, { providers }: Tick): Cards {
  const attempts = providers.reduce((sum, { metrics }) => sum + metrics.attempts, 0);
  const fresh = cards.map((card) => {
    const found = providers.find(({ provider }) => provider.key === card.key);
    if (found === undefined) return card;
    const { metrics } = found;
    return kept(card, {
      ...withNow(card, found.provider),
      numbers: numbersOf(metrics),
      trafficShare: attempts === 0 ? null : metrics.attempts / attempts,
      errorShare: metrics.attempts === 0 ? null : metrics.attemptsFailed / metrics.attempts,
    });
  });
  return sameList(cards, fresh);
}

/** Another window: what was counted over the old one says nothing of it. */
export function withoutNumbers(cards: Cards): Cards {
  return cards.map((card) => ({ ...card, numbers: null, trafficShare: null, errorShare: null }));
}

export function withBreakerEvent(cards: Cards, event: BreakerEventsSubscription['breakerEvents']): Cards {
  return changed(cards, event.provider.key, (card) => {
    const now = withNow(card, event.provider);
    // A snapshot is no change: it has no place in the history.
    if (event.snapshot) return now;
    return { ...now, breaker: { ...now.breaker, ...historyOf(now.breaker, [changeOf(event)]) } };
  });
}

/** What failed last, by what is told of decisions. */
export function withFailures(cards: Cards, { path, atMs }: Decision): Cards {
  return path.reduce((soFar, { provider, ...step }) => {
    if (step.outcome === 'SUCCEEDED' || step.outcome === 'CANCELLED') return soFar;
    const { outcome, durationMs, errorMessage: message } = step;
    return changed(soFar, provider, (card) =>
      card.lastFailure !== null && card.lastFailure.atMs > atMs
        ? card
        : { ...card, lastFailure: { atMs, outcome, durationMs, message } },
    );
  }, cards);
}

/** Readings come by several ways: an older one of the breaker does not undo a newer one. */
function withNow(card: ProviderCard, now: ProviderNowFragment): ProviderCard {
  const isNewer = now.breaker.epoch >= card.breaker.epoch;
  const breaker = isNewer ? { ...card.breaker, ...breakerNowOf(now) } : card.breaker;
  return { ...card, ...standingOf(now), breaker };
}

function historyOf(breaker: Breaker, told: readonly BreakerChange[]): Pick<Breaker, 'history' | 'lastChange'> {
  const known = new Map([...breaker.history, ...told].map((change) => [change.epoch, change]));
  const history = [...known.values()].sort((one, other) => other.epoch - one.epoch).slice(0, LIMITS.breakerHistoryMax);
  return { history, lastChange: history[0] ?? null };
}

function changed(cards: Cards, key: string, change: (card: ProviderCard) => ProviderCard): Cards {
  return sameList(
    cards,
    cards.map((card) => (card.key === key ? kept(card, change(card)) : card)),
  );
}

/** The old list if every item is the old one. */
function sameList(old: Cards, fresh: Cards): Cards {
  return old.length === fresh.length && old.every((card, index) => card === fresh[index]) ? old : fresh;
}
