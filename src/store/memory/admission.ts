import { type Account, asPayer, withCorrected, withHeld, withSettled } from '../../core/account.ts';
import { type HoldSize, holdUnder, smallestHold } from '../../core/bound.ts';
import { claimProbe, isCurrent, passageOf, reportTo, type Transition } from '../../core/breaker.ts';
import { heldBackUntil, tenantOf, withTaken } from '../../core/fair-share.ts';
import type { ProviderKey } from '../../core/ids.ts';
import { holdLeaseMs, LEASE, probeLeaseMs } from '../../core/leases.ts';
import { maxUsd, minUsd, type PicoUsd, picoUsd, subtractUsd, ZERO_USD } from '../../core/money.ts';
import { affordableBy, meansOf, type Payers, payersOf, stopperOf } from '../../core/paying.ts';
import { type ProviderRefusal, refusalOf, SET_ASIDE_MS } from '../../core/provider-state.ts';
import { takeSlot } from '../../core/rate-window.ts';
import { type EpochMs, later } from '../../core/time.ts';
import { NO_STANDING } from '../../core/verdict.ts';
import type {
  Admission,
  AdmissionCandidate,
  AdmissionPort,
  AdmissionRefusal,
  Admitted,
  Permit,
  Settled,
  Settlement,
} from '../../ports/admission.ts';
import { appendEvent } from './events.ts';
import {
  accountIn,
  type HoldMemory,
  keepAccount,
  MEMORY_LIMITS,
  type MemoryState,
  payingIn,
  providerIn,
  simulationIn,
  stateOf,
} from './state.ts';

/** The acts around one attempt, on memory. No act waits for anything, so each is one by itself. */
export function makeMemoryAdmission(state: MemoryState): AdmissionPort {
  return {
    async look(payers) {
      return {
        nowMs: state.now(),
        providers: Array.from(state.providers.keys(), (key) => stateOf(state, key)),
        ...payingIn(state, payers),
      };
    },
    admit: async (admission) => admit(state, admission),
    dispatch: async () => undefined,
    settle: async (settlement) => settle(state, settlement),
    async renew(holds) {
      const leaseEndsAtMs = later(state.now(), LEASE.holdMsMax + LEASE.holdGraceMs);
      for (const hold of holds.flatMap((id) => state.holds.get(id) ?? [])) {
        if (hold.state === 'held' && hold.expiresAtMs < leaseEndsAtMs) hold.expiresAtMs = leaseEndsAtMs;
      }
    },
    async claimSimulatedFailure(key) {
      const provider = providerIn(state, key);
      const simulation = simulationIn(provider, state.now());
      if (simulation === null) return false;
      provider.simulation = { ...simulation, failuresInjected: simulation.failuresInjected + 1 };
      return true;
    },
    async reap(countMax) {
      const nowMs = state.now();
      const due = Array.from(state.holds.values()).filter((hold) => hold.state === 'held' && hold.expiresAtMs <= nowMs);
      return due.slice(0, countMax).map((hold) => {
        hold.state = 'expired';
        hold.expiresAtMs = nowMs;
        change(state, hold, (account) => withSettled(account, { held: hold.amount, spent: hold.amount }));
        return { holdId: hold.id, requestId: hold.requestId, account: hold.account, amount: hold.amount };
      });
    },
  };
}

/** As `AdmissionPort.admit`, at once. */
export function admit(state: MemoryState, admission: Admission): Admitted {
  const nowMs = state.now();
  // Kept even if it is refused: on PostgreSQL their rows are locked before anything is decided.
  change(state, admission, (account) => account);
  keepAccount(state, asPayer(accountIn(state, admission.account), admission.defaultCap));
  const paying = payingIn(state, admission);
  const means = meansOf(paying, admission.defaultCap);
  const refusals: AdmissionRefusal[] = [];
  for (const candidate of admission.candidates) {
    const { provider, model, bound } = candidate;
    const refusal = refusalOf(stateOf(state, provider), nowMs) ?? heldBack(state, admission, provider);
    if (refusal !== null) {
      refusals.push({ provider, model, why: refusal });
      continue;
    }
    const size = sizeWithin(candidate, affordableBy(means), admission.ceiling);
    if (size !== null) {
      const permit = take(state, { admission, candidate, size, nowMs });
      return { kind: 'admitted', permit, refusals, ...payingIn(state, admission) };
    }
    const required = smallestHold(bound);
    const stopper = stopperOf(means, required);
    const why =
      stopper === null || (admission.ceiling !== null && required > admission.ceiling)
        ? ({ kind: 'overCostLimit', required } as const)
        : ({
            kind: 'overBudget',
            account: stopper.account.key,
            required,
            available: stopper.available,
            held: stopper.account.held,
          } as const);
    refusals.push({ provider, model, why });
  }
  return { kind: 'refused', refusals, ...paying };
}

/** A tenant with half of a rolling limit leaves the rest to those who wait. Null: it need not. */
function heldBack(state: MemoryState, admission: Admission, provider: ProviderKey): ProviderRefusal | null {
  const { shares, window } = providerIn(state, provider);
  const untilMs = heldBackUntil(shares, { tenant: tenantOf(admission), limit: window.limit }, state.now());
  return untilMs === null ? null : { kind: 'rateLimited', untilMs };
}

/** Changes the accounts of all who pay. */
function change(state: MemoryState, payers: Payers, into: (account: Account) => Account): void {
  for (const key of payersOf(payers)) keepAccount(state, into(accountIn(state, key)));
}

/** What to hold under both the accounts' and the request's own limit. Null when not even the least fits. */
function sizeWithin(
  candidate: AdmissionCandidate,
  available: PicoUsd | null,
  ceiling: PicoUsd | null,
): HoldSize | null {
  const { bound } = candidate;
  const free = picoUsd(bound.input + bound.perOutputToken * BigInt(bound.outputTokensMax));
  return holdUnder(bound, minUsd(minUsd(available ?? free, ceiling ?? free), free));
}

/** Takes breaker, slot and money; nothing can refuse any more. */
function take(
  state: MemoryState,
  grant: {
    readonly admission: Admission;
    readonly candidate: AdmissionCandidate;
    readonly size: HoldSize;
    readonly nowMs: EpochMs;
  },
): Permit {
  const { admission, candidate, size, nowMs } = grant;
  const { holdId, attemptMs } = admission;
  const provider = providerIn(state, candidate.provider);
  const slot = takeSlot(provider.window, nowMs);
  if (slot.kind === 'full') throw new RangeError('a full window was not refused');
  provider.window = slot.window;
  provider.shares = withTaken(provider.shares, tenantOf(admission), nowMs);
  const isProbe = passageOf(provider.breaker, nowMs).kind === 'asProbe';
  if (isProbe) {
    const probe = { id: holdId, leaseEndsAtMs: later(nowMs, probeLeaseMs(attemptMs)) };
    const change = claimProbe(provider.breaker, probe, nowMs);
    provider.breaker = change.breaker;
    if (change.transition !== null) appendEvent(state, candidate.provider, change.transition);
  }
  change(state, admission, (account) => withHeld(account, size.amount));
  state.holds.set(holdId, {
    id: holdId,
    requestId: admission.requestId,
    account: admission.account,
    also: admission.also,
    provider: candidate.provider,
    amount: size.amount,
    epoch: provider.breaker.epoch,
    probeId: isProbe ? holdId : null,
    startedAtMs: nowMs,
    expiresAtMs: later(nowMs, holdLeaseMs(attemptMs)),
    state: 'held',
  });
  return {
    holdId,
    provider: candidate.provider,
    model: candidate.model,
    held: size.amount,
    outputTokens: size.outputTokens,
    isProbe,
    admittedAtMs: nowMs,
    simulation: simulationIn(provider, nowMs),
  };
}

/** As `AdmissionPort.settle`, at once. */
export function settle(state: MemoryState, settlement: Settlement): Settled {
  const hold = state.holds.get(settlement.holdId);
  if (hold === undefined) return { kind: 'unknownHold' };
  if (hold.state === 'ended') return { kind: 'alreadySettled' };
  const isLate = hold.state !== 'held';
  const told = tellProvider(state, hold, isLate ? { ...settlement, ...NO_STANDING } : settlement);
  const spent = amountOf(settlement, hold);
  change(state, hold, (account) =>
    isLate
      ? withCorrected(account, { difference: subtractUsd(spent, hold.amount), expiredAtMs: hold.expiresAtMs })
      : withSettled(account, { held: hold.amount, spent }),
  );
  hold.state = 'ended';
  forgetEnded(state);
  return {
    kind: 'settled',
    posted: spent,
    overrun: maxUsd(ZERO_USD, subtractUsd(spent, hold.amount)),
    transition: told.transition,
    isStale: isLate || told.isStale,
    ...payingIn(state, hold),
  };
}

function amountOf(settlement: Settlement, hold: HoldMemory): PicoUsd {
  const { charge } = settlement;
  switch (charge.kind) {
    case 'spent':
      return charge.amount;
    case 'hold':
      return hold.amount;
    case 'nothing':
      return ZERO_USD;
    default:
      return charge satisfies never;
  }
}

function tellProvider(
  state: MemoryState,
  hold: HoldMemory,
  settlement: Settlement,
): { readonly transition: Transition | null; readonly isStale: boolean } {
  const nowMs = state.now();
  const provider = providerIn(state, hold.provider);
  if (settlement.throttledForMs !== null) provider.throttledUntilMs = later(nowMs, settlement.throttledForMs);
  if (settlement.setAside !== null) {
    provider.setAside = { untilMs: later(nowMs, SET_ASIDE_MS), detail: settlement.setAside };
  }
  const pass = { epoch: hold.epoch, probeId: hold.probeId, startedAtMs: hold.startedAtMs };
  const isStale = !isCurrent(provider.breaker, pass);
  const { verdict, jitter } = settlement;
  const change = reportTo(provider.breaker, { pass, verdict, jitter }, nowMs);
  provider.breaker = change.breaker;
  if (change.transition !== null) appendEvent(state, hold.provider, change.transition);
  return { transition: change.transition, isStale };
}

/** Ended and expired holds are only kept for a while, to know a second settle and to correct by a late one. */
function forgetEnded(state: MemoryState): void {
  if (state.holds.size <= MEMORY_LIMITS.endedHoldsMax * 2) return;
  const ended = Array.from(state.holds.values()).filter((hold) => hold.state !== 'held');
  for (const hold of ended.slice(0, -MEMORY_LIMITS.endedHoldsMax)) state.holds.delete(hold.id);
}
