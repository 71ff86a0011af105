import { type AccountKey, holderOf, type Level } from './ids.ts';
import type { Payers } from './paying.ts';
import { RATE_WINDOW } from './rate-window.ts';
import { type EpochMs, later } from './time.ts';

/** How long after the moment that it was told a tenant is still waited for. */
const PATIENCE_MS = 5_000;

/** Of all who wait for a provider the two that are waited for longest say everything: whoever asks, the last of the others is one of them. */
const WAITERS_MAX = 2;

/** Who shares a provider's rolling limit with others: a team, a line of keys, a user while nobody needs a key, or all who are nobody in particular. */
export type Tenant = AccountKey;

/** A team that pays along is the tenant, or else the key. A user is one only without keys: whoever acts for others can name any number of them. */
export function tenantOf({ account, also }: Payers): Tenant {
  const paysAlong = (level: Level) => also.find((other) => holderOf(other)?.level === level);
  return paysAlong('team') ?? paysAlong('key') ?? account;
}

/** What tenants have of one provider's rolling limit. */
export interface Shares {
  /** Slots, and when they are free again. */
  readonly taken: readonly { readonly tenant: Tenant; readonly freeAtMs: EpochMs }[];
  /** Tenants that found the limit used up, and until when they are waited for: those two that are waited for longest. */
  readonly waiting: ReadonlyMap<Tenant, EpochMs>;
}

export const NO_SHARES: Shares = { taken: [], waiting: new Map() };

/** Most slots that one tenant may have taken while another waits. */
function shareOf(limit: number): number {
  return Math.max(1, Math.floor(limit / 2));
}

/**
 * Until when a tenant leaves the free slots to others, at the latest. Null: it need not, because it has less than half of them
 * or nobody else waits. drizzle/0011_shares.sql says the same.
 */
export function heldBackUntil(
  shares: Shares,
  of: { readonly tenant: Tenant; readonly limit: number },
  nowMs: EpochMs,
): EpochMs | null {
  const others = Array.from(shares.waiting).filter(([tenant, endsAtMs]) => tenant !== of.tenant && endsAtMs > nowMs);
  if (others.length === 0) return null;
  const own = shares.taken.filter(({ tenant, freeAtMs }) => tenant === of.tenant && freeAtMs > nowMs);
  const instants = own.map(({ freeAtMs }) => freeAtMs).toSorted((one, other) => one - other);
  const lessAtMs = instants[instants.length - shareOf(of.limit)];
  if (lessAtMs === undefined) return null;
  const lastEndsAtMs = others.map(([, endsAtMs]) => endsAtMs).reduce((one, other) => (one > other ? one : other));
  return lessAtMs < lastEndsAtMs ? lessAtMs : lastEndsAtMs;
}

/** The same with one more slot taken. Who waits is waited for all the same: it may have asked for more than one. */
export function withTaken(shares: Shares, tenant: Tenant, nowMs: EpochMs): Shares {
  const taken = shares.taken.filter(({ freeAtMs }) => freeAtMs > nowMs);
  return { ...shares, taken: [...taken, { tenant, freeAtMs: later(nowMs, RATE_WINDOW.slotMs) }] };
}

/** The same with a tenant that was told to come back at an instant. What lies further ahead than any slot is no waiting for one. */
export function withWaiting(
  shares: Shares,
  wait: { readonly tenant: Tenant; readonly untilMs: EpochMs },
  nowMs: EpochMs,
): Shares {
  const waiting = new Map(Array.from(shares.waiting).filter(([, endsAtMs]) => endsAtMs > nowMs));
  const toldMs = Math.min(wait.untilMs - nowMs, RATE_WINDOW.slotMs);
  const endsAtMs = later(nowMs, toldMs + PATIENCE_MS);
  const known = waiting.get(wait.tenant);
  waiting.set(wait.tenant, known !== undefined && known > endsAtMs ? known : endsAtMs);
  const lastFirst = Array.from(waiting).toSorted(([, one], [, other]) => other - one);
  return { ...shares, waiting: new Map(lastFirst.slice(0, WAITERS_MAX)) };
}
