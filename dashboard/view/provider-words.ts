import type {
  AttemptOutcome,
  BreakerState,
  FailureMode,
  PathStep,
  ProviderCard,
  Simulation,
} from '../model/room-state.ts';
import { counted, countText, shareTextShort } from './number-text.ts';
import { clockTextShort, spanText } from './time-text.ts';

/**
 * How a provider stands, in one word: its breaker's state, or what keeps it from traffic besides. `OFF`: an operator took it
 * out. `SET_ASIDE`: it refused our credentials. `WAITING`: it asked us to wait.
 */
export type Standing = BreakerState | 'OFF' | 'SET_ASIDE' | 'WAITING';

export const STANDING_WORDS: Readonly<Record<Standing, string>> = {
  CLOSED: 'CLOSED',
  OPEN: 'OPEN',
  HALF_OPEN: 'HALF-OPEN',
  OFF: 'OFF',
  SET_ASIDE: 'SET ASIDE',
  WAITING: 'WAITING',
};

export const MODE_WORDS: Readonly<Record<FailureMode, { readonly name: string; readonly what: string }>> = {
  ERROR: { name: 'Error', what: 'it answers with HTTP 500' },
  TIMEOUT: { name: 'Timeout', what: 'no answer until the time limit' },
  SLOW: { name: 'Slow', what: 'a right answer, but late' },
  RATE_LIMIT: { name: 'Rate limited', what: 'it answers with HTTP 429' },
  MALFORMED: { name: 'Nonsense', what: 'an answer that cannot be read' },
  DISCONNECT: { name: 'Cut off', what: 'the connection breaks in mid-answer' },
};

/** How an attempt ended, as the end of a sentence about its provider. */
export const OUTCOME_WORDS: Readonly<Record<AttemptOutcome, string>> = {
  SUCCEEDED: 'answered',
  PROVIDER_ERROR: 'failed',
  RATE_LIMITED: 'rate limited',
  TIMED_OUT: 'timed out',
  NETWORK_ERROR: 'connection broke',
  REJECTED: 'refused the request',
  INVALID_RESPONSE: 'answered nonsense',
  CANCELLED: 'cancelled',
};

export function standingOf(card: ProviderCard): Standing {
  const { isEnabled, health, breaker } = card;
  if (!isEnabled) return 'OFF';
  if (health === 'DISABLED') return 'SET_ASIDE';
  return isAskedToWait(card) ? 'WAITING' : breaker.state;
}

/** The gateway says so by its health alone: nothing else is left that troubles it. */
function isAskedToWait({ health, breaker, simulation }: ProviderCard): boolean {
  return (
    health === 'DEGRADED' && breaker.state === 'CLOSED' && breaker.consecutiveFailures === 0 && simulation === null
  );
}

/** `timed out after 2 s`. */
export function stepText({ outcome, durationMs }: Pick<PathStep, 'outcome' | 'durationMs'>): string {
  return `${OUTCOME_WORDS[outcome]} after ${spanText(durationMs)}`;
}

/** Why a provider takes no traffic, or only a probe: the rest of a sentence that begins with its name. */
export function reasonOf(card: ProviderCard): string {
  switch (standingOf(card)) {
    case 'OFF':
      return 'an operator switched it off';
    case 'SET_ASIDE':
      return `it refused our credentials${saidBy(card)}; check its key`;
    case 'WAITING':
      return `it asked us to wait${saidBy(card)}`;
    case 'HALF_OPEN':
      return 'one probe is under way';
    case 'CLOSED':
      return rowText(card);
    case 'OPEN':
      return reasonOfOpen(card);
  }
}

function reasonOfOpen(card: ProviderCard): string {
  const { simulation, breaker, lastFailure } = card;
  if (simulation !== null) return `${rowText(card)}, ${simulationClause(simulation)}`;
  const last = lastFailure === null ? '' : `, last: ${stepText(lastFailure)}`;
  switch (breaker.lastChange?.cause) {
    case 'SIMULATION':
      return `${rowText(card)}, the last one simulated`;
    case 'PROBE_FAILED':
      return `the last probe failed${lastFailure === null ? '' : `: it ${stepText(lastFailure)}`}`;
    default:
      return `${rowText(card)}${last}`;
  }
}

/** In the words of its last failure, if these are known here. */
function saidBy({ lastFailure }: ProviderCard): string {
  return lastFailure?.message ? ` (${lastFailure.message.replace(/\.$/, '')})` : '';
}

function rowText({ breaker }: ProviderCard): string {
  return `${counted(breaker.consecutiveFailures, 'failure')} in a row`;
}

function simulationClause({ mode, endsAtMs }: Simulation): string {
  return `simulated (${MODE_WORDS[mode].name.toLowerCase()}) until ${clockTextShort(endsAtMs)}`;
}

/** A sentence on the simulated failure in force. */
export function simulationText({ mode, rate, endsAtMs, failuresInjected }: Simulation): string {
  const calls = rate === 1 ? 'every call' : `${shareTextShort(rate)} of its calls`;
  const until = clockTextShort(endsAtMs);
  return `Simulated until ${until}: ${MODE_WORDS[mode].what}, on ${calls}. ${countText(failuresInjected)} so far.`;
}
