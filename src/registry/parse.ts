import { LineCounter, parseDocument, visit, type YAMLError } from 'yaml';
import type { z } from 'zod';
import { type ProviderKey, providerKey } from '../core/ids.ts';
import type { ModelSpec, ProviderSpec, Registry } from '../core/registry.ts';
import { crossFindings, type Finding } from './cross-checks.ts';
import { type Path, type Place, placeAt, placeOfKey, placeOfValue, printPath, type Source } from './locate.ts';
import { ModelSchema, ProviderSchema, RegistrySchema } from './schema.ts';
import { didYouMean } from './wording.ts';

/** How to reach one provider. Names of variables only: the registry never holds a secret. */
export interface ProviderConnection {
  readonly key: ProviderKey;
  /** Null when the provider needs no key. */
  readonly apiKeyEnv: string | null;
  /** Null for the vendor's own address. */
  readonly baseUrl: string | null;
  /** Null when no variable overrides the address. */
  readonly baseUrlEnv: string | null;
  /** Whether the vendor may bill calls that it answers with a 5xx. */
  readonly areErrorsBilled: boolean;
}

/** What is wrong at one place of a registry file, and how to mend it. */
export interface RegistryFault extends Place {
  /** Such as `providers[1].models[0].quality`. Empty for the whole file. */
  readonly path: string;
  readonly message: string;
}

export type RegistryResult =
  | { readonly kind: 'valid'; readonly registry: Registry; readonly connections: readonly ProviderConnection[] }
  /** In the order of the file; never empty. */
  | { readonly kind: 'invalid'; readonly faults: readonly RegistryFault[] };

const FAULTS_MAX = 100;
/** Bounds what YAML aliases can blow up to. */
const ALIASES_MAX = 100;

/** Reads a registry from YAML or JSON. All faults are told together. */
export function parseRegistry(text: string): RegistryResult {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const source = { document, lines };
  const faults = [...syntaxFaults(source), ...aliasFaults(source)];
  // A repeated key leaves a document that can still be read; anything else would only raise follow-up faults.
  const isReadable = faults.length === document.errors.filter((error) => error.code === 'DUPLICATE_KEY').length;
  if (!isReadable) return invalid(faults);
  const value: unknown = document.toJS({ maxAliasCount: -1 });
  const parsed = RegistrySchema.safeParse(value);
  if (!parsed.success) faults.push(...parsed.error.issues.flatMap((issue) => schemaFaults(issue, source)));
  faults.push(...crossFindings(value).map((finding) => faultAt(finding, source)));
  return parsed.success && faults.length === 0 ? valid(parsed.data) : invalid(faults);
}

function valid(file: z.output<typeof RegistrySchema>): RegistryResult {
  const { priceListVersion, providers } = file;
  return {
    kind: 'valid',
    registry: { priceListVersion, providers: providers.map(providerSpec) },
    connections: providers.map((provider) => ({
      key: providerKey(provider.key),
      apiKeyEnv: provider.apiKeyEnv ?? null,
      baseUrl: provider.baseUrl ?? null,
      baseUrlEnv: provider.baseUrlEnv ?? null,
      areErrorsBilled: provider.areErrorsBilled,
    })),
  };
}

function providerSpec(provider: z.output<typeof ProviderSchema>): ProviderSpec {
  const { displayName, kind, requestsPerMinute, specialties } = provider;
  const models = provider.models.map(modelSpec);
  return { key: providerKey(provider.key), displayName, kind, requestsPerMinute, specialties, models };
}

function modelSpec(model: z.output<typeof ModelSchema>): ModelSpec {
  const { inputUsdPerMillion, outputUsdPerMillion, cachedInputUsdPerMillion, reasoningUsdPerMillion, ...rest } = model;
  return {
    ...rest,
    price: {
      input: inputUsdPerMillion,
      output: outputUsdPerMillion,
      cachedInput: cachedInputUsdPerMillion ?? null,
      reasoning: reasoningUsdPerMillion ?? null,
    },
    imageTokensMax: model.imageTokensMax ?? null,
  };
}

/** In the order of the file, each once, and no more than a person can read. */
function invalid(faults: readonly RegistryFault[]): RegistryResult {
  const distinct = new Map(
    faults.map((fault) => [`${fault.line}:${fault.column} ${fault.path} ${fault.message}`, fault]),
  );
  const sorted = [...distinct.values()].toSorted((a, b) => a.line - b.line || a.column - b.column);
  return { kind: 'invalid', faults: sorted.slice(0, FAULTS_MAX) };
}

function syntaxFaults({ document, lines }: Source): readonly RegistryFault[] {
  return [...document.errors, ...document.warnings].map((error) => ({
    ...placeAt(error.pos[0], lines),
    path: '',
    message: syntaxMessage(error),
  }));
}

function syntaxMessage(error: YAMLError): string {
  switch (error.code) {
    case 'DUPLICATE_KEY':
      return 'the same key stands twice in this map: remove one of them';
    case 'MULTIPLE_DOCS':
      return 'a second document begins here: keep one document in a file';
    default:
      return `is not valid YAML or JSON: ${error.message.split('\n', 1)[0]}`;
  }
}

/** Aliases (`*name`) without an anchor, and too many of them: they would make a small file huge. */
function aliasFaults({ document, lines }: Source): readonly RegistryFault[] {
  const faults: RegistryFault[] = [];
  let count = 0;
  visit(document, {
    Alias: (_, alias) => {
      count += 1;
      const message = aliasFault({ name: alias.source, isKnown: alias.resolve(document) !== undefined, count });
      if (message !== null) faults.push({ ...placeAt(alias.range?.[0] ?? 0, lines), path: '', message });
      return count > ALIASES_MAX ? visit.BREAK : undefined;
    },
  });
  return faults;
}

function aliasFault(alias: { readonly name: string; readonly isKnown: boolean; readonly count: number }) {
  if (alias.count > ALIASES_MAX) return `is one YAML alias too many: at most ${ALIASES_MAX} may stand in a file`;
  return alias.isKnown
    ? null
    : `*${alias.name} has no anchor &${alias.name} before it: add one, or write the value out`;
}

function schemaFaults(issue: z.core.$ZodIssue, source: Source): readonly RegistryFault[] {
  const path = issue.path.filter((step) => typeof step !== 'symbol');
  if (issue.code !== 'unrecognized_keys') return [faultAt({ path, message: issue.message }, source)];
  const { noun, known } = describedAt(path);
  return issue.keys.map((key) => ({
    ...placeOfKey(source, path, key),
    path: printPath([...path, key]),
    message: `is no field of ${noun}: remove or rename it${didYouMean(key, known)}`,
  }));
}

/** What kind of map stands at a path: only three kinds have fields. */
function describedAt(path: Path): { readonly noun: string; readonly known: readonly string[] } {
  if (path.length === 0) return { noun: 'the registry', known: Object.keys(RegistrySchema.shape) };
  if (path.length === 2) return { noun: 'a provider', known: Object.keys(ProviderSchema.shape) };
  return { noun: 'a model', known: Object.keys(ModelSchema.shape) };
}

function faultAt({ path, message }: Finding, source: Source): RegistryFault {
  return { ...placeOfValue(source, path), path: printPath(path), message };
}
