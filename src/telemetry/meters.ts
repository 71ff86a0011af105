import { Counter, collectDefaultMetrics, Registry } from 'prom-client';
import type { Exposition, Meters } from '../ports/meters.ts';

/**
 * All meters, in a registry of their own, in the text format of Prometheus. Ours are called `switchyard_…`; what tells of the
 * process keeps the names `process_…` and `nodejs_…`, by which dashboards know it.
 */
export function makeMeters(): Meters & Exposition {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const counter = (name: string, help: string) => {
    const made = new Counter({ name: `switchyard_${name}`, help, registers: [registry] });
    return { add: (count: number) => made.inc(count) };
  };
  return {
    holdsExpired: counter('holds_expired_total', 'Holds that nobody settled in time: posted in full by this replica.'),
    overruns: counter('overruns_total', 'Attempts that a provider billed above the limit it was sent.'),
    contentType: registry.contentType,
    read: () => registry.metrics(),
  };
}
