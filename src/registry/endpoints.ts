import type { ProviderKey } from '../core/ids.ts';
import { findProvider, type Registry } from '../core/registry.ts';
import { readSetting, type Setting } from '../settings/setting.ts';
import { apiKey, baseUrl } from '../settings.ts';
import type { ProviderConnection } from './parse.ts';

/** How one provider is called in this environment. The real one may hold a secret: do not log it. */
export type Endpoint =
  | {
      readonly kind: 'real';
      readonly key: ProviderKey;
      /** Null when the registry names no variable for it, as for a server of one's own. */
      readonly apiKey: string | null;
      /** Null for the vendor's own address. */
      readonly baseUrl: string | null;
      readonly areErrorsBilled: boolean;
    }
  | {
      readonly kind: 'mock';
      readonly key: ProviderKey;
      /** The variable whose absence makes the mock stand in. Null when the provider is of the kind `mock`. */
      readonly missingVariable: string | null;
    };

export type EndpointsResult =
  | { readonly kind: 'valid'; readonly endpoints: readonly Endpoint[] }
  | { readonly kind: 'invalid'; readonly faults: readonly { readonly name: string; readonly message: string }[] };

/** Resolves the variables that a registry names. `variable` is the one of `Config`. All faults are told together. */
export function parseEndpoints(said: {
  readonly registry: Registry;
  readonly connections: readonly ProviderConnection[];
  readonly variable: (name: string) => string | null;
}): EndpointsResult {
  const faults = new Map<string, string>();
  const read = (setting: Setting<string, null>): string | null => {
    const { value, fault } = readSetting(setting, said.variable(setting.name) ?? undefined);
    if (fault !== null) faults.set(setting.name, fault);
    return value;
  };
  const endpoints = said.connections.map((connection): Endpoint => {
    const { key, apiKeyEnv, baseUrlEnv, areErrorsBilled } = connection;
    const keyHere = apiKeyEnv === null ? null : read(apiKey(apiKeyEnv, ''));
    const baseUrlHere = baseUrlEnv === null ? null : read(baseUrl(baseUrlEnv, ''));
    const isMock = findProvider(said.registry, key)?.kind === 'mock';
    if (isMock || (apiKeyEnv !== null && keyHere === null)) return { kind: 'mock', key, missingVariable: apiKeyEnv };
    return { kind: 'real', key, apiKey: keyHere, baseUrl: baseUrlHere ?? connection.baseUrl, areErrorsBilled };
  });
  if (faults.size === 0) return { kind: 'valid', endpoints };
  return { kind: 'invalid', faults: [...faults].map(([name, message]) => ({ name, message })) };
}
