import { type Account, atPeriodOf, makeAccount } from '../../core/account.ts';
import { type Breaker, makeBreaker } from '../../core/breaker.ts';
import { NO_SHARES, type Shares } from '../../core/fair-share.ts';
import type { AccountKey, HoldId, ProviderKey, ReplicaId, RequestId } from '../../core/ids.ts';
import type { PicoUsd } from '../../core/money.ts';
import type { Payers, Paying } from '../../core/paying.ts';
import type { ProviderState, SetAside } from '../../core/provider-state.ts';
import { makeRateWindow, nextFreeAt, type RateWindow, withLimit } from '../../core/rate-window.ts';
import { knownWith, type Registry } from '../../core/registry.ts';
import { isInForce, type Simulation } from '../../core/simulation.ts';
import type { EpochMs } from '../../core/time.ts';
import type { AuditEntry } from '../../ports/audit.ts';
import type { BreakerEvent } from '../../ports/breaker-events.ts';

/** What one process can keep. More accounts and keys than this need PostgreSQL; older events, acts and ended holds are forgotten. */
export const MEMORY_LIMITS = {
  accountsMax: 1_000_000,
  apiKeysMax: 100_000,
  eventsMax: 10_000,
  auditEntriesMax: 10_000,
  endedHoldsMax: 10_000,
} as const;

export interface ProviderMemory {
  breaker: Breaker;
  window: RateWindow;
  shares: Shares;
  isEnabled: boolean;
  throttledUntilMs: EpochMs | null;
  setAside: SetAside | null;
  simulation: Simulation | null;
}

/** `held` until it is settled or expires; an expired one may still be corrected. */
export interface HoldMemory extends Payers {
  readonly id: HoldId;
  readonly requestId: RequestId;
  readonly provider: ProviderKey;
  readonly amount: PicoUsd;
  readonly epoch: number;
  readonly probeId: HoldId | null;
  readonly startedAtMs: EpochMs;
  /** When its lease ends; when it has expired, when that was noticed. */
  expiresAtMs: EpochMs;
  state: 'held' | 'expired' | 'ended';
}

/** Everything the memory store knows. The acts change it in one go, so nobody ever sees half of one. */
export interface MemoryState {
  readonly now: () => EpochMs;
  readonly replica: ReplicaId;
  /** In the order of `knownWith`. */
  readonly providers: Map<ProviderKey, ProviderMemory>;
  readonly accounts: Map<AccountKey, Account>;
  readonly holds: Map<HoldId, HoldMemory>;
  readonly events: BreakerEvent[];
  readonly audit: AuditEntry[];
  readonly hints: Set<() => void>;
  /** Sequence of the newest event ever. */
  sequence: number;
}

export function makeMemoryState(options: {
  readonly registry: Registry;
  readonly now: () => EpochMs;
  readonly replica: ReplicaId;
}): MemoryState {
  const state: MemoryState = {
    now: options.now,
    replica: options.replica,
    providers: new Map(),
    accounts: new Map(),
    holds: new Map(),
    events: [],
    audit: [],
    hints: new Set(),
    sequence: 0,
  };
  adoptRegistry(state, options.registry);
  return state;
}

/** As `Store.adopt`, at once. */
export function adoptRegistry(state: MemoryState, registry: Registry): void {
  const nowMs = state.now();
  const known = new Map(state.providers);
  for (const { key, requestsPerMinute } of registry.providers) {
    const before = known.get(key);
    if (before === undefined) known.set(key, makeProviderMemory(requestsPerMinute, nowMs));
    else before.window = withLimit(before.window, requestsPerMinute, nowMs);
  }
  const order = knownWith(registry, state.providers.keys());
  state.providers.clear();
  for (const key of order) {
    const provider = known.get(key);
    if (provider !== undefined) state.providers.set(key, provider);
  }
}

function makeProviderMemory(requestsPerMinute: number, nowMs: EpochMs): ProviderMemory {
  return {
    breaker: makeBreaker(nowMs),
    window: makeRateWindow(requestsPerMinute),
    shares: NO_SHARES,
    isEnabled: true,
    throttledUntilMs: null,
    setAside: null,
    simulation: null,
  };
}

export function providerIn(state: MemoryState, key: ProviderKey): ProviderMemory {
  const provider = state.providers.get(key);
  if (provider === undefined) throw new RangeError(`the store knows no provider ${key}`);
  return provider;
}

/** The account as it stands now; one that was never used looks untouched and is not kept. */
export function accountIn(state: MemoryState, key: AccountKey): Account {
  return atPeriodOf(state.accounts.get(key) ?? makeAccount(key, state.now()), state.now());
}

/** The accounts of those who pay, as they stand now. */
export function payingIn(state: MemoryState, { account, also }: Payers): Paying {
  return { account: accountIn(state, account), also: also.map((key) => accountIn(state, key)) };
}

export function keepAccount(state: MemoryState, account: Account): void {
  if (!state.accounts.has(account.key) && state.accounts.size >= MEMORY_LIMITS.accountsMax) {
    throw new RangeError(`the memory store keeps at most ${MEMORY_LIMITS.accountsMax} accounts: use PostgreSQL`);
  }
  state.accounts.set(account.key, account);
}

/** What everybody may know of one provider now: what has passed is left out. */
export function stateOf(state: MemoryState, key: ProviderKey): ProviderState {
  const nowMs = state.now();
  const known = providerIn(state, key);
  const isThrottled = known.throttledUntilMs !== null && known.throttledUntilMs > nowMs;
  const isSetAside = known.setAside !== null && known.setAside.untilMs > nowMs;
  return {
    provider: key,
    breaker: known.breaker,
    isEnabled: known.isEnabled,
    throttledUntilMs: isThrottled ? known.throttledUntilMs : null,
    setAside: isSetAside ? known.setAside : null,
    simulation: simulationIn(known, nowMs),
    slotFreeAtMs: nextFreeAt(known.window, nowMs),
  };
}

export function simulationIn(known: ProviderMemory, nowMs: EpochMs): Simulation | null {
  return known.simulation !== null && isInForce(known.simulation, nowMs) ? known.simulation : null;
}
