import type { ProviderState } from '../core/provider-state.ts';
import type { EpochMs } from '../core/time.ts';
import type { BreakerEvent } from '../ports/breaker-events.ts';

/** What a watcher of breakers is told. `dropped` counts the events this watcher missed before this one because it was slow. */
export type BreakerNotice =
  | { readonly kind: 'changed'; readonly event: BreakerEvent; readonly dropped: number }
  /** The present state. Everything up to `sequence` is in it: resume after it and nothing is missed. */
  | {
      readonly kind: 'present';
      readonly state: ProviderState;
      readonly sequence: number;
      readonly atMs: EpochMs;
      readonly dropped: number;
    };
