import type { AdmissionPort } from './admission.ts';
import type { BreakerEventsPort } from './breaker-events.ts';
import type { OperationsPort } from './operations.ts';
import type { RequestLogPort } from './request-log.ts';
import type { UpkeepPort } from './upkeep.ts';

export type StoreKind = 'postgres' | 'embedded' | 'memory';

/** Where state is kept. Whoever keeps it decides what time it is. */
export interface Store
  extends AdmissionPort,
    RequestLogPort,
    OperationsPort,
    BreakerEventsPort,
    UpkeepPort,
    AsyncDisposable {
  readonly kind: StoreKind;
  /** Resolves when the store answers; rejects with the reason when it does not. */
  ping(): Promise<void>;
}
