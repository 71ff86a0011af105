import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
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
  const gauge = (name: string, help: string) => {
    const made = new Gauge({ name: `switchyard_${name}`, help, registers: [registry] });
    return { set: (value: number) => made.set(value) };
  };
  const tally = <Outcome extends string>(name: string, help: string, outcomes: readonly Outcome[]) => {
    const made = new Counter({ name: `switchyard_${name}`, help, labelNames: ['outcome'], registers: [registry] });
    for (const outcome of outcomes) made.inc({ outcome }, 0);
    return { count: (outcome: Outcome) => made.inc({ outcome }) };
  };
  return {
    holdsExpired: counter('holds_expired_total', 'Holds that nobody settled in time: posted in full by this replica.'),
    overruns: counter('overruns_total', 'Attempts that a provider billed above the limit it was sent.'),
    booksDifferences: gauge('books_differences', 'Accounts whose books did not balance when they were looked at last.'),
    replicas: gauge('replicas', 'Replicas seen in the last minute, as this one sees it.'),
    storeUp: gauge('store_up', '1 while the store answers this replica, 0 while it does not.'),
    operationsInFlight: gauge('operations_in_flight', 'Operations under way.'),
    operationsRefused: counter('operations_refused_total', 'Operations sent away because too much was under way.'),
    authenticationFailures: counter(
      'authentication_failures_total',
      'Callers who came without a credential, or with one that does not work.',
    ),
    retriesRefused: counter('retries_refused_total', 'Candidates passed over because their retry budget was used up.'),
    configReloads: tally('config_reloads_total', 'Readings of the configuration since the start.', [
      'applied',
      'unchanged',
      'refused',
      'deferred',
    ]),
    configStale: gauge('config_stale', '1 while what the operator wrote last is not in force, 0 while it is.'),
    contentType: registry.contentType,
    read: () => registry.metrics(),
  };
}
