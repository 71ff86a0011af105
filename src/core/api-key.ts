import { CHAT_LIMITS } from './chat-request.ts';
import type { ApiKeyId } from './ids.ts';
import type { Scope } from './scope.ts';
import type { EpochMs } from './time.ts';

const DAY_MS = 86_400_000;
/** The key that a request came with. */
export interface UsedKey {
  readonly id: ApiKeyId;
  readonly line: ApiKeyId;
}

/** What a key may use of the service in one rolling minute, and at once. Null: no limit of its own. */
export interface CallerLimits {
  readonly requestsPerMinute: number | null;
  /** Input and output tokens together: estimated when a request begins, put right when it ends. */
  readonly tokensPerMinute: number | null;
  /** Requests under way. */
  readonly concurrency: number | null;
}

/** What can be said of a key at most. */
export const API_KEY_LIMITS = {
  nameCharsMax: 100,
  userIdCharsMax: CHAT_LIMITS.userIdCharsMax,
  teamIdCharsMax: CHAT_LIMITS.userIdCharsMax,
  requestsPerMinuteMax: 1_000_000,
  tokensPerMinuteMax: 1_000_000_000,
  concurrencyMax: 100_000,
  /** How long a key that was rotated works beside the next one. */
  overlapMsMax: 30 * DAY_MS,
} as const;

/** A credential without its secret, as everybody may see it who may see keys. */
export interface ApiKey {
  readonly id: ApiKeyId;
  /** The first key of its line: a key that was rotated keeps it, and with it its budget, its limits and its log. */
  readonly line: ApiKeyId;
  /** For people. */
  readonly name: string;
  /** The beginning of the secret, to recognise it. */
  readonly prefix: string;
  readonly scopes: readonly Scope[];
  /** The user whose money it spends. Null: its own. */
  readonly userId: string | null;
  /** The team whose money it spends as well. Null: none. */
  readonly teamId: string | null;
  readonly limits: CallerLimits;
  readonly createdAtMs: EpochMs;
  /** To the minute. Null: never. */
  readonly lastUsedAtMs: EpochMs | null;
  /** Null: it does not expire. */
  readonly expiresAtMs: EpochMs | null;
  /** Null: it was not revoked. */
  readonly revokedAtMs: EpochMs | null;
}

/** When a key stops working, as far as that is known. Null: it goes on until somebody ends it. */
export function endsAtOf({ expiresAtMs, revokedAtMs }: Pick<ApiKey, 'expiresAtMs' | 'revokedAtMs'>): EpochMs | null {
  if (expiresAtMs === null || revokedAtMs === null) return expiresAtMs ?? revokedAtMs;
  return expiresAtMs < revokedAtMs ? expiresAtMs : revokedAtMs;
}

/** Why a key does not work any more. Null: it works. */
export function endOf(key: Pick<ApiKey, 'expiresAtMs' | 'revokedAtMs'>, nowMs: EpochMs): 'revoked' | 'expired' | null {
  if (key.revokedAtMs !== null && key.revokedAtMs <= nowMs) return 'revoked';
  return key.expiresAtMs !== null && key.expiresAtMs <= nowMs ? 'expired' : null;
}
