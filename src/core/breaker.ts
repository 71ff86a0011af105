import type { HoldId } from './ids.ts';
import { type EpochMs, later } from './time.ts';

/** The rules of docs/routing.md: 3 failures in a row, 60 s, doubling up to 10 minutes, up to 10 % jitter. */
export const BREAKER = {
  failureThreshold: 3,
  cooldownMs: 60_000,
  cooldownMsMax: 600_000,
  jitterShareMax: 0.1,
} as const;

export type Circuit =
  /** `streakStartedAtMs` is when the first failure of the present row was reported; null while there is none. */
  | { readonly kind: 'closed'; readonly fails: number; readonly streakStartedAtMs: EpochMs | null }
  | { readonly kind: 'open'; readonly fails: number; readonly reopensAtMs: EpochMs }
  /** `probe` is null while nobody probes: the next attempt may. */
  | { readonly kind: 'halfOpen'; readonly fails: number; readonly probe: Probe | null };

export interface Probe {
  readonly id: HoldId;
  /** When the lease lapses: after it another attempt may probe. */
  readonly leaseEndsAtMs: EpochMs;
}

/** One provider's breaker. Every change is a new value with the next epoch. */
export interface Breaker {
  /** The count of changes; also the number of the newest event. */
  readonly epoch: number;
  readonly circuit: Circuit;
  /** How often in a row a probe has failed. */
  readonly reopenCount: number;
  /** When it last opened. Null when it never did. */
  readonly openedAtMs: EpochMs | null;
  readonly changedAtMs: EpochMs;
}

export const CAUSES = [
  'failureThreshold',
  'cooldownElapsed',
  'probeSucceeded',
  'probeFailed',
  'manualReset',
  'simulation',
] as const;

export type Cause = (typeof CAUSES)[number];

export type CircuitKind = Circuit['kind'];

/** One change of a breaker, as it is recorded. */
export interface Transition {
  readonly from: CircuitKind;
  readonly to: CircuitKind;
  readonly cause: Cause;
  readonly epoch: number;
  readonly fails: number;
  /** When the next probe is allowed. Null unless it opened. */
  readonly reopensAtMs: EpochMs | null;
  /** The operator's reason. Null unless it was reset by hand with one. */
  readonly detail: string | null;
}

/** What an attempt was allowed on. `probeId` is null unless the attempt is the half-open probe. */
export interface BreakerPass {
  readonly epoch: number;
  readonly probeId: HoldId | null;
  readonly startedAtMs: EpochMs;
}

/** What an attempt tells the breaker. Throttled and misconfigured attempts are `neutral` here. */
export type Verdict =
  | { readonly kind: 'success' }
  | { readonly kind: 'failure'; readonly retryAfterMs: number | null; readonly isSimulated: boolean }
  | { readonly kind: 'neutral' };

export type Passage =
  | { readonly kind: 'through' }
  | { readonly kind: 'asProbe' }
  | { readonly kind: 'open'; readonly reopensAtMs: EpochMs }
  | { readonly kind: 'probing'; readonly leaseEndsAtMs: EpochMs };

export interface BreakerChange {
  readonly breaker: Breaker;
  readonly transition: Transition | null;
}

export function makeBreaker(nowMs: EpochMs): Breaker {
  return {
    epoch: 0,
    circuit: { kind: 'closed', fails: 0, streakStartedAtMs: null },
    reopenCount: 0,
    openedAtMs: null,
    changedAtMs: nowMs,
  };
}

/** How an attempt would pass now. A question: it takes nothing. */
export function passageOf(breaker: Breaker, nowMs: EpochMs): Passage {
  const { circuit } = breaker;
  switch (circuit.kind) {
    case 'closed':
      return { kind: 'through' };
    case 'open':
      return circuit.reopensAtMs <= nowMs ? { kind: 'asProbe' } : { kind: 'open', reopensAtMs: circuit.reopensAtMs };
    case 'halfOpen':
      return circuit.probe === null || circuit.probe.leaseEndsAtMs <= nowMs
        ? { kind: 'asProbe' }
        : { kind: 'probing', leaseEndsAtMs: circuit.probe.leaseEndsAtMs };
    default:
      return circuit satisfies never;
  }
}

/** Takes the probe for one attempt. Only called when `passageOf` says `asProbe`. A lapsed lease gets a new epoch, so that the lost prober is stale. */
export function claimProbe(breaker: Breaker, probe: Probe, nowMs: EpochMs): BreakerChange {
  const { circuit } = breaker;
  if (circuit.kind === 'closed') throw new RangeError('a closed breaker has no probe to claim');
  const next: Circuit = { kind: 'halfOpen', fails: circuit.fails, probe };
  if (circuit.kind === 'halfOpen' && circuit.probe === null) {
    return { breaker: { ...breaker, circuit: next }, transition: null };
  }
  return moveTo(breaker, next, { cause: 'cooldownElapsed', nowMs });
}

/** True when a report on `pass` may still change the breaker. */
export function isCurrent(breaker: Breaker, pass: BreakerPass): boolean {
  if (pass.epoch !== breaker.epoch) return false;
  const { circuit } = breaker;
  return pass.probeId === null
    ? circuit.kind === 'closed'
    : circuit.kind === 'halfOpen' && circuit.probe?.id === pass.probeId;
}

/** Takes an attempt's verdict into account. A stale one changes nothing. `jitter` is a chance from 0 up to 1. */
export function reportTo(
  breaker: Breaker,
  report: { readonly pass: BreakerPass; readonly verdict: Verdict; readonly jitter: number },
  nowMs: EpochMs,
): BreakerChange {
  if (!isCurrent(breaker, report.pass)) return { breaker, transition: null };
  const { circuit } = breaker;
  switch (circuit.kind) {
    case 'closed':
      return reportWhileClosed(breaker, circuit, report, nowMs);
    case 'halfOpen':
      return reportOfProbe(breaker, circuit, report, nowMs);
    case 'open':
      return { breaker, transition: null };
    default:
      return circuit satisfies never;
  }
}

/** Closes the breaker by hand and forgets its failures. No transition when it was closed already. */
export function resetByHand(breaker: Breaker, detail: string | null, nowMs: EpochMs): BreakerChange {
  const closed: Circuit = { kind: 'closed', fails: 0, streakStartedAtMs: null };
  if (breaker.circuit.kind === 'closed') return { breaker: { ...breaker, circuit: closed }, transition: null };
  return moveTo({ ...breaker, reopenCount: 0 }, closed, { cause: 'manualReset', nowMs, detail });
}

function reportWhileClosed(
  breaker: Breaker,
  circuit: Extract<Circuit, { kind: 'closed' }>,
  report: { readonly pass: BreakerPass; readonly verdict: Verdict; readonly jitter: number },
  nowMs: EpochMs,
): BreakerChange {
  const { verdict } = report;
  switch (verdict.kind) {
    case 'neutral':
      return { breaker, transition: null };
    case 'success': {
      const endsStreak = circuit.streakStartedAtMs !== null && report.pass.startedAtMs >= circuit.streakStartedAtMs;
      const next: Circuit = endsStreak ? { kind: 'closed', fails: 0, streakStartedAtMs: null } : circuit;
      return { breaker: { ...breaker, circuit: next }, transition: null };
    }
    case 'failure': {
      const fails = circuit.fails + 1;
      if (fails < BREAKER.failureThreshold) {
        const next: Circuit = { kind: 'closed', fails, streakStartedAtMs: circuit.streakStartedAtMs ?? nowMs };
        return { breaker: { ...breaker, circuit: next }, transition: null };
      }
      return open(breaker, { fails, cause: verdict.isSimulated ? 'simulation' : 'failureThreshold' }, report, nowMs);
    }
    default:
      return verdict satisfies never;
  }
}

function reportOfProbe(
  breaker: Breaker,
  circuit: Extract<Circuit, { kind: 'halfOpen' }>,
  report: { readonly verdict: Verdict; readonly jitter: number },
  nowMs: EpochMs,
): BreakerChange {
  const { verdict } = report;
  switch (verdict.kind) {
    case 'neutral':
      return { breaker: { ...breaker, circuit: { ...circuit, probe: null } }, transition: null };
    case 'success': {
      const closed: Circuit = { kind: 'closed', fails: 0, streakStartedAtMs: null };
      return moveTo({ ...breaker, reopenCount: 0 }, closed, { cause: 'probeSucceeded', nowMs });
    }
    case 'failure': {
      const reopened = { ...breaker, reopenCount: breaker.reopenCount + 1 };
      const cause = verdict.isSimulated ? 'simulation' : 'probeFailed';
      return open(reopened, { fails: circuit.fails + 1, cause }, report, nowMs);
    }
    default:
      return verdict satisfies never;
  }
}

function open(
  breaker: Breaker,
  how: { readonly fails: number; readonly cause: Cause },
  report: { readonly verdict: Verdict; readonly jitter: number },
  nowMs: EpochMs,
): BreakerChange {
  const retryAfterMs = report.verdict.kind === 'failure' ? report.verdict.retryAfterMs : null;
  const cooldownMs = cooldownOf({ reopenCount: breaker.reopenCount, jitter: report.jitter, retryAfterMs });
  const next: Circuit = { kind: 'open', fails: how.fails, reopensAtMs: later(nowMs, cooldownMs) };
  return moveTo({ ...breaker, openedAtMs: nowMs }, next, { cause: how.cause, nowMs });
}

/** How long it stays open: 60 s, doubled for each failed probe up to 10 minutes, plus jitter, never shorter than Retry-After. */
export function cooldownOf(how: {
  readonly reopenCount: number;
  readonly jitter: number;
  readonly retryAfterMs: number | null;
}): number {
  const doubledMs = Math.min(BREAKER.cooldownMs * 2 ** Math.min(how.reopenCount, 10), BREAKER.cooldownMsMax);
  const jitterMs = Math.floor(doubledMs * BREAKER.jitterShareMax * how.jitter);
  return Math.max(doubledMs + jitterMs, how.retryAfterMs ?? 0);
}

function moveTo(
  breaker: Breaker,
  circuit: Circuit,
  why: { readonly cause: Cause; readonly nowMs: EpochMs; readonly detail?: string | null },
): BreakerChange {
  const epoch = breaker.epoch + 1;
  return {
    breaker: { ...breaker, epoch, circuit, changedAtMs: why.nowMs },
    transition: {
      from: breaker.circuit.kind,
      to: circuit.kind,
      cause: why.cause,
      epoch,
      fails: circuit.fails,
      reopensAtMs: circuit.kind === 'open' ? circuit.reopensAtMs : null,
      detail: why.detail ?? null,
    },
  };
}

/** A sentence for a person about a change. When the next probe may go out stands beside it as data. */
export function describeTransition(transition: Transition): string {
  switch (transition.cause) {
    case 'failureThreshold':
      return `opened after ${transition.fails} failures in a row`;
    case 'simulation':
      return `opened after ${transition.fails} failures in a row, the last one simulated`;
    case 'probeFailed':
      return 'the probe failed: open again';
    case 'probeSucceeded':
      return 'the probe succeeded: closed';
    case 'cooldownElapsed':
      return transition.from === 'halfOpen' ? 'the last probe was lost: another one goes out' : 'one probe goes out';
    case 'manualReset':
      return transition.detail === null ? 'closed by hand' : `closed by hand: ${transition.detail}`;
    default:
      return transition.cause satisfies never;
  }
}

/** When a probe is allowed again. Null unless it is open. */
export function reopensAtOf(breaker: Breaker): EpochMs | null {
  return breaker.circuit.kind === 'open' ? breaker.circuit.reopensAtMs : null;
}
