import type { AccountKey, RequestId } from './ids.ts';
import { type EpochMs, later } from './time.ts';

/** How long keys live, and how much is kept under one. */
export const KEY_LIMITS = {
  /** Of an answer, and of a key whose request never ended. */
  keptMs: 86_400_000,
  /** Of an ending without an answer: long enough for those who wait for it to look again. */
  toldMs: 60_000,
  /** How much longer than its request a claim lasts. After that its replica is taken for dead. */
  leaseGraceMs: 30_000,
  outcomeCharsMax: 1_000_000,
} as const;

/** Which key, and for which request. */
export interface KeyHolder {
  readonly account: AccountKey;
  readonly key: string;
  readonly requestId: RequestId;
}

/** A wish to be the one who runs the request of a key. */
export interface KeyClaim extends KeyHolder {
  /** Digest of what is asked. */
  readonly bodyHash: string;
  /** How long nobody else may run it. */
  readonly leaseMs: number;
  /** The request whose end this caller waits for. Null when it has not waited. */
  readonly awaited: RequestId | null;
}

/** What whoever wants a key is told. `outcome` is text that `core/outcome-text.ts` reads. */
export type KeyAnswer =
  /** It is theirs to run, until the lease ends. */
  | { readonly kind: 'claimed' }
  | { readonly kind: 'running'; readonly requestId: RequestId }
  | { readonly kind: 'ended'; readonly requestId: RequestId; readonly outcome: string }
  /** The key belongs to a request that asked something else. */
  | { readonly kind: 'conflict'; readonly requestId: RequestId };

/**
 * How a claim ends. `kept`: every later sending is told the same. `freed`: the key is free again, and only those who waited are told;
 * null when there is nothing to tell, and one of them runs it.
 */
export type KeyEnd =
  | { readonly kind: 'kept'; readonly outcome: string }
  | { readonly kind: 'freed'; readonly outcome: string | null };

/** What is known of one key. */
export interface KeyEntry extends KeyHolder {
  readonly bodyHash: string;
  readonly state: { readonly kind: 'running'; readonly leaseEndsAtMs: EpochMs } | KeyEnd;
  /** From then on it is as if the key had never been used. */
  readonly expiresAtMs: EpochMs;
}

/** What a claim comes to, by what is known of its key. With `claimed` the entry becomes `entryOf` the claim. */
export function answerOf(entry: KeyEntry | null, claim: KeyClaim, nowMs: EpochMs): KeyAnswer {
  if (entry === null || entry.expiresAtMs <= nowMs) return { kind: 'claimed' };
  const { requestId, state } = entry;
  if (state.kind === 'freed') {
    const isTold = state.outcome !== null && claim.awaited === requestId;
    return isTold ? { kind: 'ended', requestId, outcome: state.outcome } : { kind: 'claimed' };
  }
  if (entry.bodyHash !== claim.bodyHash) return { kind: 'conflict', requestId };
  if (state.kind === 'kept') return { kind: 'ended', requestId, outcome: state.outcome };
  // A claim that is asked for again is still the same one: its first answer may have been lost.
  const isFree = state.leaseEndsAtMs <= nowMs || requestId === claim.requestId;
  return isFree ? { kind: 'claimed' } : { kind: 'running', requestId };
}

export function entryOf(claim: KeyClaim, nowMs: EpochMs): KeyEntry {
  const { account, key, requestId, bodyHash, leaseMs } = claim;
  const state = { kind: 'running', leaseEndsAtMs: later(nowMs, leaseMs) } as const;
  return { account, key, requestId, bodyHash, state, expiresAtMs: later(nowMs, KEY_LIMITS.keptMs) };
}

/** The entry after its claim has ended. Null when it is not this request's to end: somebody took over, or it has ended already. */
export function withEnd(entry: KeyEntry, requestId: RequestId, end: KeyEnd, nowMs: EpochMs): KeyEntry | null {
  if (entry.state.kind !== 'running' || entry.requestId !== requestId) return null;
  return { ...entry, state: end, expiresAtMs: later(nowMs, keptMsOf(end)) };
}

export function keptMsOf(end: KeyEnd): number {
  return end.kind === 'kept' ? KEY_LIMITS.keptMs : KEY_LIMITS.toldMs;
}
