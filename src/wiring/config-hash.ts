import type { Config } from '../config.ts';
import type { Registry } from '../core/registry.ts';
import type { Setup } from './read-setup.ts';
import { sha256 } from './system.ts';

const HASH_CHARS = 12;

/**
 * Tells for people whether replicas were given the same: what is offered at which price, where it is called, who may do what, and for
 * how long what is kept. No secret goes into it, nor what may be another on each machine, such as its address or its limits of load.
 */
export function configHashOf(
  { config, endpoints, persisted }: Pick<Setup, 'config' | 'endpoints' | 'persisted'>,
  inForce: Registry,
): string {
  const said = {
    registry: inForce,
    upstreams: endpoints.map((endpoint) =>
      endpoint.kind === 'mock'
        ? [endpoint.key, null]
        : [endpoint.key, endpoint.baseUrl, endpoint.apiKey !== null, endpoint.areErrorsBilled],
    ),
    documents: [...persisted.texts].sort(([one], [other]) => (one < other ? -1 : 1)),
    settings: sharedSettings(config),
  };
  const text = JSON.stringify(said, (_name, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
  return sha256(text).slice(0, HASH_CHARS);
}

/** Those of the environment that all replicas should agree in. */
function sharedSettings(config: Config) {
  const { auth, privateUpstreams, mock, budgetDefault, store } = config;
  const { logRetentionDays, contentKeptDays, isPersistedOnly, simulations, allowedOrigins } = config;
  return {
    auth,
    allowedOrigins: allowedOrigins.toSorted(),
    privateUpstreams,
    mock: { failureRate: mock.failureRate, latencyScale: mock.latencyScale },
    budgetDefault,
    outageSlice: store.kind === 'memory' ? null : store.outageSlice,
    logRetentionDays,
    contentKeptDays,
    isPersistedOnly,
    simulations,
  };
}
