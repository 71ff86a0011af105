import type { ProviderKey } from '../../src/core/ids.ts';
import type { Registry } from '../../src/core/registry.ts';
import { type Configurations, makeConfigurations, type OpenConfiguration } from '../../src/gateway/configuration.ts';
import type { ProviderPort } from '../../src/ports/provider.ts';
import { SILENT_LOG } from './log.ts';

/** A configuration whose adapters a test hands in, and which says when they are closed. */
export function makeConfiguration(of: {
  readonly registry: Registry;
  readonly providers?: ReadonlyMap<ProviderKey, ProviderPort>;
  readonly configHash?: string;
  readonly areSimulationsEnabled?: boolean;
  readonly onClosed?: () => void;
}): OpenConfiguration {
  const { registry, providers = new Map(), configHash = 'test', areSimulationsEnabled = true } = of;
  return {
    registry,
    providers,
    configHash,
    areSimulationsEnabled,
    [Symbol.asyncDispose]: async () => of.onClosed?.(),
  };
}

/** What is in force when nobody changes anything. */
export function configurationsOf(...of: Parameters<typeof makeConfiguration>): Configurations {
  return makeConfigurations(makeConfiguration(...of), { log: SILENT_LOG });
}
