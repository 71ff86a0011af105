import type { ProviderKey } from '../../src/core/ids.ts';
import type { RequestRecord } from '../../src/core/request-record.ts';
import type {
  AttemptMeasure,
  Counter,
  Gauge,
  HttpMeasure,
  Meters,
  PlainMeters,
  ProviderStanding,
  ReloadOutcome,
} from '../../src/ports/meters.ts';

/** Meters that a test reads. */
export interface FakeMeters extends Meters {
  /** What a meter shows: what was added to a counter, or set last on a gauge. Null for a gauge that nobody set. */
  shown(meter: keyof PlainMeters): number | null;
  /** What was measured, in order. */
  readonly attempts: readonly AttemptMeasure[];
  readonly requests: readonly RequestRecord[];
  /** `door why`. */
  readonly broken: readonly string[];
  readonly answers: readonly HttpMeasure[];
  readonly retries: readonly string[];
  readonly reloads: readonly ReloadOutcome[];
  /** `provider from>to cause`. */
  readonly changes: readonly string[];
  /** How each provider was seen last. */
  readonly standings: ReadonlyMap<ProviderKey, ProviderStanding>;
}

export function makeFakeMeters(): FakeMeters {
  const values = new Map<keyof PlainMeters, number>();
  const counter = (name: keyof PlainMeters): Counter => {
    values.set(name, 0);
    return { add: (count) => void values.set(name, (values.get(name) ?? 0) + count) };
  };
  const gauge = (name: keyof PlainMeters): Gauge => ({ set: (value) => void values.set(name, value) });
  const attempts: AttemptMeasure[] = [];
  const requests: RequestRecord[] = [];
  const broken: string[] = [];
  const answers: HttpMeasure[] = [];
  const retries: string[] = [];
  const reloads: ReloadOutcome[] = [];
  const changes: string[] = [];
  const standings = new Map<ProviderKey, ProviderStanding>();
  return {
    holdsExpired: counter('holdsExpired'),
    overruns: counter('overruns'),
    booksDifferences: gauge('booksDifferences'),
    replicas: gauge('replicas'),
    replicasDiffering: gauge('replicasDiffering'),
    storeUp: gauge('storeUp'),
    operationsInFlight: gauge('operationsInFlight'),
    operationsRefused: counter('operationsRefused'),
    authenticationFailures: counter('authenticationFailures'),
    callersLimited: counter('callersLimited'),
    retriesRefused: counter('retriesRefused'),
    budgetReserved: gauge('budgetReserved'),
    streamSubscribers: gauge('streamSubscribers'),
    eventsDropped: counter('eventsDropped'),
    logQueue: gauge('logQueue'),
    logRowsDropped: counter('logRowsDropped'),
    spansDropped: counter('spansDropped'),
    configStale: gauge('configStale'),
    configReloads: { count: (outcome) => void reloads.push(outcome) },
    attemptEnded: (attempt) => void attempts.push(attempt),
    requestEnded: (record) => void requests.push(record),
    requestBroke: (door, why) => void broken.push(`${door} ${why}`),
    providersSeen(seen) {
      standings.clear();
      for (const standing of seen) standings.set(standing.provider, standing);
    },
    breakerChanged: (provider, { from, to, cause }) => void changes.push(`${provider} ${from}>${to} ${cause}`),
    clientRetried: (language) => void retries.push(language),
    httpEnded: (answered) => void answers.push(answered),
    shown: (meter) => values.get(meter) ?? null,
    attempts,
    requests,
    broken,
    answers,
    retries,
    reloads,
    changes,
    standings,
  };
}
