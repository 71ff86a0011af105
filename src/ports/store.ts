import type { Registry } from '../core/registry.ts';
import type { StoreAbsence, StoreMode } from '../core/store-mode.ts';
import type { AdmissionPort } from './admission.ts';
import type { ApiKeysPort } from './api-keys.ts';
import type { AuditPort } from './audit.ts';
import type { BooksPort } from './books.ts';
import type { BreakerEventsPort } from './breaker-events.ts';
import type { CallerLimitsPort } from './caller-limits.ts';
import type { ContentPort } from './content.ts';
import type { FairSharesPort } from './fair-shares.ts';
import type { FleetPort } from './fleet.ts';
import type { IdempotencyPort } from './idempotency.ts';
import type { OperationsPort } from './operations.ts';
import type { ReplayPort } from './replay.ts';
import type { RequestLogPort } from './request-log.ts';
import type { DrawPort, ReservePort } from './reserve.ts';
import type { UpkeepPort } from './upkeep.ts';
import type { WirePort } from './wire.ts';

export type StoreKind = 'postgres' | 'embedded' | 'memory';

/** Where state is kept. Whoever keeps it decides what time it is. */
export interface Store
  extends AdmissionPort,
    IdempotencyPort,
    CallerLimitsPort,
    FairSharesPort,
    RequestLogPort,
    ContentPort,
    OperationsPort,
    AuditPort,
    ApiKeysPort,
    BreakerEventsPort,
    FleetPort,
    BooksPort,
    UpkeepPort,
    WirePort,
    AsyncDisposable {
  readonly kind: StoreKind;
  /**
   * Asks for what a registry needs, from now on and at once for all its providers: state of those that are new, the limits of
   * `requestsPerMinute`, its order. Providers that it lacks stay known, after its own, to requests that go on with them. Asked
   * again with the same, it changes nothing. Throws `StoreUnavailable`: then it may be done or not.
   */
  adopt(registry: Registry): Promise<void>;
  /** Resolves when the store answers; rejects with the reason when it does not. */
  ping(): Promise<void>;
  /** Null while the store answers, as far as this replica knows. A question: it sends nothing. */
  absence(): StoreAbsence | null;
  /** What becomes of requests now. A question: it sends nothing. */
  mode(): StoreMode;
}

/** A store that outlives its replicas, so that their acts can be kept for it elsewhere while it is away. */
export interface DurableStore extends Store, ReplayPort, ReservePort {}

/** A store beside which a replica can go on while it is away, with what it reserved in time. */
export interface ReservingStore extends Store, ReservePort, DrawPort {}
