import type { Tenant } from '../core/fair-share.ts';
import type { ProviderKey } from '../core/ids.ts';
import type { EpochMs } from '../core/time.ts';

/** A tenant that found rolling limits used up. */
export interface Wait {
  readonly tenant: Tenant;
  /** When it was told to come back, at each provider that it wanted. */
  readonly at: readonly { readonly provider: ProviderKey; readonly untilMs: EpochMs }[];
}

/** Half of a rolling limit is the most that one tenant takes while others wait for a slot: `admit` sees to it. */
export interface FairSharesPort {
  /** Until 5 s after what it was told a tenant is waited for. */
  noteWaiting(wait: Wait): Promise<void>;
}
