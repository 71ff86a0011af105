import type { ApiKey } from '../core/api-key.ts';
import type { ApiKeyId } from '../core/ids.ts';
import type { PageAnswer, PageQuery } from '../core/page.ts';
import type { EpochMs } from '../core/time.ts';
import type { Actor } from './operations.ts';

/** A key to be kept: only a hash of its secret. When it was made is the store's now. */
export type NewApiKey = Omit<ApiKey, 'prefix' | 'createdAtMs' | 'lastUsedAtMs' | 'revokedAtMs'> & {
  /** SHA-256 of the whole text of the key, in hexadecimal digits. */
  readonly hash: string;
};

/** A key, and the hash by which it was looked up. */
export interface FoundKey {
  readonly hash: string;
  readonly key: ApiKey;
}

/** The credentials of callers. Each change writes its own audit line in the same commit. */
export interface ApiKeysPort {
  createKey(key: NewApiKey, actor: Actor): Promise<ApiKey>;
  /** The keys that have one of these hashes, whether they still work at the store's now or not. */
  findKeysByHash(hashes: readonly string[]): Promise<{ readonly nowMs: EpochMs; readonly found: readonly FoundKey[] }>;
  /** Null: there is none. */
  findKey(id: ApiKeyId): Promise<ApiKey | null>;
  /** Newest first. */
  pageKeys(page: PageQuery): Promise<PageAnswer<ApiKey>>;
  /** From now on it does not work. Null when there is no such key. One that was revoked before stays as it is. */
  revokeKey(id: ApiKeyId, actor: Actor): Promise<ApiKey | null>;
  /**
   * Makes the next key of a line, in one act with the end of the one before: that one works for `overlapMs` more, and never longer
   * than was said before. Null when it does not exist, or works no more.
   */
  rotateKey(next: NewApiKey, rotation: Rotation, actor: Actor): Promise<RotatedKey | null>;
  /** Notes that keys were used, to the minute. */
  touchKeys(ids: readonly ApiKeyId[]): Promise<void>;
  /**
   * The keys that ended in the last `withinMs`, by the store's clock. As many as there are: they end one by one, and a reader asks every
   * second. One that is being revoked at this moment may be missing.
   */
  endedKeys(withinMs: number): Promise<readonly ApiKeyId[]>;
  /** Calls back when a key may have been revoked. Only a hint: it may come late, twice or not at all. */
  onKeysChanged(act: () => void): Disposable;
}

export interface Rotation {
  readonly before: ApiKeyId;
  readonly overlapMs: number;
}

export interface RotatedKey {
  readonly key: ApiKey;
  /** The one before, with its end. */
  readonly replaced: ApiKey;
}
