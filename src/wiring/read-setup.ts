import { type Config, parseConfig } from '../config.ts';
import type { Registry } from '../core/registry.ts';
import type { PersistedDocuments } from '../graphql/persisted-documents.ts';
import { type Endpoint, parseEndpoints } from '../registry/endpoints.ts';
import type { ProviderConnection, RegistryResult } from '../registry/parse.ts';
import { DEFAULT_REGISTRY_PATH, readRegistry } from '../registry/read.ts';
import { SETTINGS } from '../settings.ts';
import { readPersisted } from './read-persisted.ts';

/** All that an operator decides: the environment and the files that it names, read, checked and fitted together. */
export interface Setup {
  readonly config: Config;
  /** The file of the registry. */
  readonly file: string;
  /** As the file says it; mocks are not put in yet. */
  readonly registry: Registry;
  /** The variables that the registry names. */
  readonly connections: readonly ProviderConnection[];
  readonly endpoints: readonly Endpoint[];
  readonly persisted: PersistedDocuments;
}

/** Something to mend, and where: a variable of the environment, or a place in the registry's file. */
export type SetupFault =
  | { readonly source: 'environment'; readonly variable: string; readonly message: string }
  | {
      readonly source: 'registry';
      readonly file: string;
      readonly line: number;
      readonly column: number;
      /** The field, such as `providers.0.key`. Empty: the file as a whole. */
      readonly path: string;
      readonly message: string;
    };

export type SetupResult =
  | { readonly kind: 'valid'; readonly setup: Setup }
  /** Every fault that was found, and the registry all the same. */
  | {
      readonly kind: 'invalid';
      readonly faults: readonly SetupFault[];
      readonly file: string;
      /** Null when it could not be read. */
      readonly registry: Registry | null;
    };

/** Reads everything that is set before a start. All faults are told together. */
export async function readSetup(env: Readonly<Record<string, string | undefined>>): Promise<SetupResult> {
  const parsed = parseConfig(env);
  const { registryPath, persistedPath } = parsed.kind === 'valid' ? parsed.config : parsed;
  const file = registryPath ?? DEFAULT_REGISTRY_PATH;
  const [registry, persisted] = await Promise.all([readRegistry(file), readPersisted(persistedPath)]);
  const faults = [
    ...(parsed.kind === 'valid' ? [] : environmentFaults(parsed.faults)),
    ...registryFaults(file, registry),
    ...(persisted.kind === 'valid' ? [] : documentFaults(persisted.faults)),
  ];
  if (parsed.kind === 'invalid' || registry.kind === 'invalid' || persisted.kind === 'invalid') {
    return { kind: 'invalid', faults, file, registry: registry.kind === 'valid' ? registry.registry : null };
  }
  const { config } = parsed;
  const resolved = parseEndpoints({ ...registry, variable: config.variable });
  if (resolved.kind === 'invalid') {
    return { kind: 'invalid', faults: environmentFaults(resolved.faults), file, registry: registry.registry };
  }
  return {
    kind: 'valid',
    setup: {
      config,
      file,
      registry: registry.registry,
      connections: registry.connections,
      endpoints: resolved.endpoints,
      persisted: { texts: persisted.texts, areOnlyOnes: config.isPersistedOnly },
    },
  };
}

/** What is wrong with one registry file. Empty: nothing. */
export function registryFaults(file: string, registry: RegistryResult): readonly SetupFault[] {
  if (registry.kind === 'valid') return [];
  return registry.faults.map((fault) => ({ source: 'registry', file, ...fault }));
}

/** One fault in a line, as people read it. */
export function printFault(fault: SetupFault): string {
  if (fault.source === 'environment') return `environment: ${fault.message}`;
  const { file, line, column, path, message } = fault;
  return `${file}:${line}:${column} ${path === '' ? '' : `${path} `}${message}`;
}

function documentFaults(messages: readonly string[]): readonly SetupFault[] {
  return environmentFaults(messages.map((message) => ({ name: SETTINGS.persistedDocuments.name, message })));
}

function environmentFaults(
  faults: readonly { readonly name: string; readonly message: string }[],
): readonly SetupFault[] {
  return faults.map(({ name, message }) => ({ source: 'environment', variable: name, message }));
}
