import type { AdmissionPort } from './admission.ts';
import type { BreakerEventsPort } from './breaker-events.ts';
import type { IdempotencyPort } from './idempotency.ts';
import type { OperationsPort } from './operations.ts';
import type { RequestLogPort } from './request-log.ts';

export type StoreKind = 'postgres' | 'embedded' | 'memory';

/** Where state is kept. Whoever keeps it decides what time it is. */
export interface Store
  extends AdmissionPort,
    IdempotencyPort,
    RequestLogPort,
    OperationsPort,
    BreakerEventsPort,
    AsyncDisposable {
  readonly kind: StoreKind;
  /** Resolves when the store answers; rejects with the reason when it does not. */
  ping(): Promise<void>;
}
