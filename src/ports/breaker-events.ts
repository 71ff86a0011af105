import type { Transition } from '../core/breaker.ts';
import type { ProviderKey, ReplicaId } from '../core/ids.ts';
import type { PageAnswer, PageQuery } from '../core/page.ts';
import type { EpochMs } from '../core/time.ts';

/** A change of a breaker as it was recorded. */
export interface BreakerEvent {
  /** Position in the history of all providers: grows by one at every change, without a gap, in the order of commits. */
  readonly sequence: number;
  readonly provider: ProviderKey;
  readonly transition: Transition;
  readonly occurredAtMs: EpochMs;
  readonly replica: ReplicaId;
}

/** The history of all breakers. */
export interface BreakerEventsPort {
  /** The sequence of the newest and of the oldest event kept. Both 0 when there are none. */
  range(): Promise<{ readonly oldest: number; readonly newest: number }>;
  /** Events after a sequence, oldest first, at most `countMax`. */
  tail(after: number, countMax: number): Promise<readonly BreakerEvent[]>;
  /** Null when there is no such event. */
  findEvent(sequence: number): Promise<BreakerEvent | null>;
  /** One provider's history, newest first. */
  history(provider: ProviderKey, page: PageQuery): Promise<PageAnswer<BreakerEvent>>;
  /** Calls back when there may be something new. Only a hint: it may come late, twice or not at all. */
  onHint(act: () => void): Disposable;
}
