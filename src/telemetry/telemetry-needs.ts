import type { ProviderKey, ReplicaId } from '../core/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { MeterBook } from './meters.ts';

/** What is needed to send telemetry. */
export interface TelemetryNeeds {
  readonly targets: TelemetryTargets;
  readonly meters: MeterBook;
  readonly log: Log;
  readonly clock: Clock;
  readonly replica: ReplicaId;
  readonly version: string;
  /** What the conventions call a provider. */
  readonly nameOf: (provider: ProviderKey) => string;
}

/** Where telemetry is sent, and what is said with it. */
interface TelemetryTargets {
  /** What every span and every figure says of this process. */
  readonly resource: Readonly<Record<string, string>>;
  /** Sent with every export. They may hold a secret. */
  readonly headers: Readonly<Record<string, string>>;
  /** Null: traces go nowhere. */
  readonly traces: { readonly url: string; readonly sampler: SamplerName; readonly ratio: number } | null;
  /** Null: figures are only shown when they are asked for. */
  readonly metrics: { readonly url: string; readonly everyMs: number } | null;
}

export type SamplerName = `${'' | 'parentbased_'}${'always_on' | 'always_off' | 'traceidratio'}`;
