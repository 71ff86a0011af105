import type { ProviderKey } from '../core/ids.ts';
import { bareKey } from '../core/ids.ts';
import type { InputIssue } from '../core/outcome.ts';
import { findProvider, type Registry } from '../core/registry.ts';
import { SIMULATION_LIMITS } from '../core/simulation.ts';
import type { Actor } from '../ports/operations.ts';
import type { Caller } from './caller.ts';
import type { GatewayDeps } from './deps.ts';
import type { FeatureDisabled, Gateway, InvalidInput, NotFound, SimulateFailure } from './gateway.ts';

/** The acts on providers: each parses who is meant, and then is one act of the store. */
export function makeOperations(
  deps: GatewayDeps,
): Pick<Gateway, 'simulateFailure' | 'stopSimulation' | 'resetBreaker' | 'setProviderEnabled'> {
  const { configurations, store } = deps;
  return {
    async simulateFailure(wish, caller) {
      const { registry, areSimulationsEnabled } = configurations.now();
      const provider = keyOf(registry, wish.provider);
      if (provider === null) return noProvider(registry, wish.provider);
      if (!areSimulationsEnabled) return simulationsAreOff();
      const issues = faultsOf(wish);
      if (issues.length > 0) return invalidInput(issues);
      const { mode, rate, durationMs, failuresMax, latencyMs } = wish;
      await store.simulate(provider, { mode, rate, durationMs, failuresMax, latencyMs }, actorOf(caller, null));
      return { kind: 'simulating', provider };
    },
    async stopSimulation(name, caller) {
      const { registry } = configurations.now();
      const provider = name === null ? null : keyOf(registry, name);
      if (name !== null && provider === null) return noProvider(registry, name);
      return { kind: 'stopped', providers: await store.stopSimulation(provider, actorOf(caller, null)) };
    },
    async resetBreaker(name, reason, caller) {
      const { registry } = configurations.now();
      const provider = keyOf(registry, name);
      if (provider === null) return noProvider(registry, name);
      return { kind: 'reset', provider, event: await store.resetBreaker(provider, actorOf(caller, reason)) };
    },
    async setProviderEnabled(wish, caller) {
      const { registry } = configurations.now();
      const provider = keyOf(registry, wish.provider);
      if (provider === null) return noProvider(registry, wish.provider);
      await store.setEnabled(provider, wish.isEnabled, actorOf(caller, wish.reason));
      return { kind: 'set', provider };
    },
  };
}

/** Who acts, for the audit log. */
export function actorOf(caller: Caller, reason: string | null): Actor {
  return { name: caller.kind === 'key' ? `key:${caller.key.id}` : caller.kind, reason };
}

export function invalidInput(issues: readonly InputIssue[]): InvalidInput {
  const first = issues[0];
  const where = first === undefined || first.path.length === 0 ? '' : `${first.path.join('.')}: `;
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more, see issues)` : '';
  return {
    kind: 'invalidInput',
    code: 'INVALID_INPUT',
    message: `The input is not acceptable. ${where}${first?.message ?? ''}${more}`,
    isRetryable: false,
    retryAfterMs: null,
    issues,
  };
}

/** A provider by key or global id. Null when there is none. */
function keyOf(registry: Registry, name: string): ProviderKey | null {
  return findProvider(registry, bareKey(name))?.key ?? null;
}

function noProvider(registry: Registry, name: string): NotFound {
  const known = registry.providers.map((provider) => provider.key).join(', ');
  return {
    kind: 'notFound',
    code: 'NOT_FOUND',
    message: `No provider is called "${name}". There are ${known}.`,
    isRetryable: false,
    retryAfterMs: null,
  };
}

function simulationsAreOff(): FeatureDisabled {
  return {
    kind: 'featureDisabled',
    code: 'FEATURE_DISABLED',
    message: 'Simulations are switched off on this gateway. Start it with SIMULATIONS=on to allow them.',
    isRetryable: false,
    retryAfterMs: null,
  };
}

function faultsOf(wish: SimulateFailure): readonly InputIssue[] {
  const issues: InputIssue[] = [];
  const check = (isRight: boolean, field: string, message: string) => {
    if (!isRight) issues.push({ path: [field], message });
  };
  const { durationMsMax, failuresMaxMax, latencyMsMax } = SIMULATION_LIMITS;
  check(wish.rate >= 0 && wish.rate <= 1, 'rate', `must be from 0 to 1, got ${wish.rate}`);
  check(
    wish.durationMs >= 1 && wish.durationMs <= durationMsMax,
    'duration',
    `must be above 0 and at most ${durationMsMax / 3_600_000} hours`,
  );
  check(
    wish.failuresMax === null || (wish.failuresMax >= 1 && wish.failuresMax <= failuresMaxMax),
    'maxFailures',
    `must be from 1 to ${failuresMaxMax}`,
  );
  check(
    wish.latencyMs === null || (wish.latencyMs >= 0 && wish.latencyMs <= latencyMsMax),
    'latencyMs',
    `must be from 0 to ${latencyMsMax}`,
  );
  return issues;
}
