import { type ApiKey, endOf, endsAtOf } from '../core/api-key.ts';
import type { ApiKeyId } from '../core/ids.ts';
import type { EpochMs } from '../core/time.ts';
import { StoreUnavailable } from '../core/unavailable.ts';
import type { ApiKeysPort } from '../ports/api-keys.ts';
import type { Clock } from '../ports/clock.ts';
import { makeBatches } from './batches.ts';
import type { KnownEnds } from './known-ends.ts';

/**
 * How long a key is taken for what it was when it was looked up: one that works, and one that does not. While the store is away, one that
 * worked is believed for `absentMs`, but one that may read meters and nothing else for as long as the store is away: that is when they are
 * needed. And how many are remembered, looked up in one act, and may wait for that.
 */
export const KEY_CACHE = {
  workingMs: 2_000,
  refusedMs: 1_000,
  absentMs: 60_000,
  workingMax: 10_000,
  refusedMax: 10_000,
  batchMax: 256,
  waitingMax: 10_000,
} as const;

export type KeyState =
  | { readonly kind: 'works'; readonly key: ApiKey }
  | { readonly kind: 'refused'; readonly why: 'unknown' | 'expired' | 'revoked' };

/** What one replica remembers of keys, by the hash of their text. */
export interface KeyCache {
  /** Throws `StoreUnavailable` when nobody can tell. */
  find(hash: string): Promise<KeyState>;
  /** Looks these keys up anew. */
  forget(ids: readonly ApiKeyId[]): void;
}

/** By the monotonic clock: what a store says of its own time is turned into a span at once. */
interface Sighting {
  readonly state: KeyState;
  readonly seenAtMs: number;
  /** When a key that works will end by itself. */
  readonly endsAtMs: number;
}

export function makeKeyCache(deps: {
  readonly store: Pick<ApiKeysPort, 'findKeysByHash'>;
  readonly clock: Clock;
  readonly ends: Pick<KnownEnds, 'note'>;
}): KeyCache {
  const { store, clock } = deps;
  // Apart, so that a flood of wrong keys crowds out no right one.
  const working = new Map<string, Sighting>();
  const refused = new Map<string, Sighting>();

  const keep = (hash: string, sighting: Sighting) => {
    working.delete(hash);
    refused.delete(hash);
    const { state } = sighting;
    const isWorking = state.kind === 'works';
    if (state.kind === 'works') deps.ends.note(state.key.id, sighting.endsAtMs);
    const sightings = isWorking ? working : refused;
    sightings.set(hash, sighting);
    const [oldest] = sightings.keys();
    if (sightings.size > (isWorking ? KEY_CACHE.workingMax : KEY_CACHE.refusedMax) && oldest !== undefined) {
      sightings.delete(oldest);
    }
  };
  const lookUp = makeBatches<string, Sighting>({
    async ask(hashes) {
      const seenAtMs = clock.elapsedMs();
      const { nowMs, found } = await store.findKeysByHash(hashes);
      const keys = new Map(found.map(({ hash, key }) => [hash, key]));
      const sightings = new Map(hashes.map((hash) => [hash, sightingOf(keys.get(hash) ?? null, { seenAtMs, nowMs })]));
      for (const [hash, sighting] of sightings) keep(hash, sighting);
      return sightings;
    },
    ...KEY_CACHE,
    makeFullError: () => new StoreUnavailable('more API keys come at once than can be looked up'),
  });
  const isWithin = (sighting: Sighting, workingMs: number) => {
    const { state, seenAtMs, endsAtMs } = sighting;
    const untilMs = state.kind === 'works' ? Math.min(seenAtMs + workingMs, endsAtMs) : seenAtMs + KEY_CACHE.refusedMs;
    return clock.elapsedMs() < untilMs;
  };

  return {
    async find(hash) {
      const before = working.get(hash) ?? refused.get(hash) ?? null;
      if (before !== null && isWithin(before, KEY_CACHE.workingMs)) return before.state;
      try {
        return (await lookUp(hash)).state;
      } catch (error) {
        const isAway = error instanceof StoreUnavailable;
        if (isAway && before !== null && isWithin(before, absentMsOf(before.state))) return before.state;
        throw error;
      }
    },
    forget(ids) {
      if (ids.length === 0) return;
      const ended = new Set(ids);
      for (const [hash, { state }] of working)
        if (state.kind === 'works' && ended.has(state.key.id)) working.delete(hash);
    },
  };
}

function absentMsOf(state: KeyState): number {
  const isForMetersOnly = state.kind === 'works' && state.key.scopes.join() === 'metrics:read';
  return isForMetersOnly ? Number.POSITIVE_INFINITY : KEY_CACHE.absentMs;
}

function sightingOf(key: ApiKey | null, at: { readonly seenAtMs: number; readonly nowMs: EpochMs }): Sighting {
  const endsAt = key === null ? null : endsAtOf(key);
  const endsAtMs = endsAt === null ? Number.POSITIVE_INFINITY : at.seenAtMs + (endsAt - at.nowMs);
  return { state: stateOf(key, at.nowMs), seenAtMs: at.seenAtMs, endsAtMs };
}

function stateOf(key: ApiKey | null, nowMs: EpochMs): KeyState {
  if (key === null) return { kind: 'refused', why: 'unknown' };
  const why = endOf(key, nowMs);
  return why === null ? { kind: 'works', key } : { kind: 'refused', why };
}
