import type { Counter, Gauge, Meters } from '../../src/ports/meters.ts';

/** Meters that a test reads. */
export interface FakeMeters extends Meters {
  /** What a meter shows: what was added to a counter, or set last on a gauge. Null for a gauge that nobody set. */
  shown(meter: keyof Meters): number | null;
}

export function makeFakeMeters(): FakeMeters {
  const values = new Map<keyof Meters, number>();
  const counter = (name: keyof Meters): Counter => {
    values.set(name, 0);
    return { add: (count) => void values.set(name, (values.get(name) ?? 0) + count) };
  };
  const gauge = (name: keyof Meters): Gauge => ({ set: (value) => void values.set(name, value) });
  return {
    holdsExpired: counter('holdsExpired'),
    overruns: counter('overruns'),
    booksDifferences: gauge('booksDifferences'),
    replicas: gauge('replicas'),
    storeUp: gauge('storeUp'),
    operationsInFlight: gauge('operationsInFlight'),
    operationsRefused: counter('operationsRefused'),
    authenticationFailures: counter('authenticationFailures'),
    retriesRefused: counter('retriesRefused'),
    configReloads: {
      count: () => void values.set('configReloads', (values.get('configReloads') ?? 0) + 1),
    },
    configStale: gauge('configStale'),
    shown: (meter) => values.get(meter) ?? null,
  };
}
