import type { ProviderKey, ReplicaId } from '../core/ids.ts';
import type { TelemetryConfig } from '../core/telemetry-config.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { MeterBook } from './meters.ts';

/** What is needed to send telemetry. */
export interface TelemetryNeeds {
  readonly targets: TelemetryConfig;
  readonly meters: MeterBook;
  readonly log: Log;
  readonly clock: Clock;
  readonly replica: ReplicaId;
  readonly version: string;
  /** What the conventions call a provider. */
  readonly nameOf: (provider: ProviderKey) => string;
}
