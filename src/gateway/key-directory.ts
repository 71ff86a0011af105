import type { ApiKey, CallerLimits } from '../core/api-key.ts';
import type { PageAnswer, PageQuery } from '../core/page.ts';
import type { EpochMs } from '../core/time.ts';
import type { AuditEntry } from '../ports/audit.ts';
import type { Caller } from './caller.ts';
import type { InvalidInput, NotFound } from './refusals.ts';

/** API keys, and the log of what was done to them and to everything else. Nobody hands out more than they have. */
export interface KeyDirectory {
  createKey(wish: KeyWish, caller: Caller): Promise<CreatedKey | InvalidInput>;
  revokeKey(wish: { readonly id: string }, caller: Caller): Promise<RevokedKey | NotFound>;
  /** Makes the next key of a line. The one before works beside it for a while. */
  rotateKey(wish: RotationWish, caller: Caller): Promise<RotatedKey | NotFound | InvalidInput>;
  /** Newest first. */
  pageKeys(page: PageQuery): Promise<PageAnswer<ApiKey>>;
  /** Null: there is none, or the caller may neither see keys nor comes with this one. */
  findKey(id: string, caller: Caller): Promise<ApiKey | null>;
  /** Newest first. */
  pageAudit(page: PageQuery): Promise<PageAnswer<AuditEntry>>;
}

/** A key as somebody wants it. Nothing of it has been checked. */
export interface KeyWish {
  readonly name: string;
  readonly scopes: readonly string[];
  /** Whose money it spends. Null: its own. */
  readonly userId: string | null;
  /** The team that pays along. Null: none. */
  readonly teamId: string | null;
  /** Null: never. */
  readonly expiresAtMs: EpochMs | null;
  readonly limits: CallerLimits;
}

export interface RotationWish {
  /** Of the key to replace, in any of its spellings. */
  readonly id: string;
  /** How long it works beside the next one. */
  readonly overlapMs: number;
}

/** `secret` is the key's text: nobody can tell it again. */
export interface CreatedKey {
  readonly kind: 'created';
  readonly key: ApiKey;
  readonly secret: string;
}

export interface RotatedKey {
  readonly kind: 'rotated';
  readonly key: ApiKey;
  readonly replaced: ApiKey;
  readonly secret: string;
}

export interface RevokedKey {
  readonly kind: 'revoked';
  readonly key: ApiKey;
}
