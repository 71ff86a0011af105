import type { PageAnswer, PageQuery } from '../core/page.ts';
import type { EpochMs } from '../core/time.ts';

/** One administrative act. */
export interface AuditEntry {
  /** Grows with time. */
  readonly sequence: number;
  readonly atMs: EpochMs;
  /** Who did it: `open`, `admin`, or `key:<id>`. */
  readonly actor: string;
  /** The name of the mutation. */
  readonly act: string;
  /** What it was done to: a provider, an account, or `key:<id>`. `*` for all providers. */
  readonly target: string;
  /** Null when none was given. */
  readonly reason: string | null;
  /** The act's own particulars, as JSON. Never a secret. */
  readonly detail: unknown;
}

/** What operators did. The acts themselves write it. */
export interface AuditPort {
  /** Newest first. */
  pageAudit(page: PageQuery): Promise<PageAnswer<AuditEntry>>;
}
