import { z } from 'zod';
import { PROVIDER_KINDS } from '../core/registry.ts';
import { type Path, printPath } from './locate.ts';

/** A fault that only shows when several fields are looked at together. */
export interface Finding {
  readonly path: Path;
  readonly message: string;
}

// Each check reads only the fields it needs, so that a fault elsewhere in the file never hides one here.
const Providers = z.looseObject({ providers: z.array(z.unknown()) });
const Models = z.looseObject({ models: z.array(z.unknown()) });
const Key = z.looseObject({ key: z.string() });
const Name = z.looseObject({ name: z.string() });
const Aliases = z.looseObject({ aliases: z.array(z.unknown()) });
const Connection = z.looseObject({
  kind: z.enum(PROVIDER_KINDS),
  apiKeyEnv: z.unknown().optional(),
  baseUrl: z.unknown().optional(),
  baseUrlEnv: z.unknown().optional(),
});
const Limits = z.looseObject({ contextWindow: z.number(), maxOutputTokens: z.number() });
const Sight = z.looseObject({ capabilities: z.array(z.unknown()), imageTokensMax: z.unknown().optional() });

/** Everything that is wrong between the fields of a registry, whatever else is wrong with it. */
export function crossFindings(registry: unknown): readonly Finding[] {
  const providers = readAs(Providers, registry)?.providers ?? [];
  return [
    ...repeatedKeys(providers),
    ...providers.flatMap((provider, index) => providerFindings(provider, ['providers', index])),
  ];
}

function providerFindings(provider: unknown, path: Path): readonly Finding[] {
  const models = readAs(Models, provider)?.models ?? [];
  return [
    ...connectionFindings(provider, path),
    ...repeatedNames(models, [...path, 'models']),
    ...models.flatMap((model, index) => modelFindings(model, [...path, 'models', index])),
  ];
}

function repeatedKeys(providers: readonly unknown[]): readonly Finding[] {
  const keys = providers.flatMap((provider, index) => {
    const key = readAs(Key, provider)?.key;
    return key === undefined ? [] : [{ word: key, path: ['providers', index, 'key'] }];
  });
  return repeats(keys, 'a key must be unique in the file: change one of them');
}

function repeatedNames(models: readonly unknown[], path: Path): readonly Finding[] {
  const words = models.flatMap((model, index) => {
    const name = readAs(Name, model)?.name;
    const aliases = readAs(Aliases, model)?.aliases ?? [];
    return [
      ...(name === undefined ? [] : [{ word: name, path: [...path, index, 'name'] }]),
      ...aliases.flatMap((alias, at) =>
        typeof alias === 'string' ? [{ word: alias, path: [...path, index, 'aliases', at] }] : [],
      ),
    ];
  });
  return repeats(words, 'within one provider a name or alias must mean one model: change or remove one of them');
}

function repeats(words: readonly { readonly word: string; readonly path: Path }[], advice: string): readonly Finding[] {
  const first = new Map<string, Path>();
  return words.flatMap(({ word, path }) => {
    const earlier = first.get(word);
    if (earlier === undefined) first.set(word, path);
    return earlier === undefined ? [] : [{ path, message: `repeats "${word}" of ${printPath(earlier)}; ${advice}` }];
  });
}

function connectionFindings(provider: unknown, path: Path): readonly Finding[] {
  const connection = readAs(Connection, provider);
  if (connection === null) return [];
  const { kind } = connection;
  switch (kind) {
    case 'mock':
      return CONNECTION_FIELDS.flatMap((field) =>
        connection[field] === undefined ? [] : [{ path: [...path, field], message: MOCK_ADVICE }],
      );
    case 'openaiCompatible':
      return connection.baseUrl === undefined ? [{ path: [...path, 'baseUrl'], message: BASE_URL_ADVICE }] : [];
    case 'openai':
    case 'anthropic':
    case 'gemini':
      return connection.apiKeyEnv === undefined
        ? [
            {
              path: [...path, 'apiKeyEnv'],
              message: `is missing: the kind ${kind} needs the name of a variable with its API key, such as ${KEY_EXAMPLES[kind]}`,
            },
          ]
        : [];
    default:
      return kind satisfies never;
  }
}

const CONNECTION_FIELDS = ['apiKeyEnv', 'baseUrl', 'baseUrlEnv'] as const;
const MOCK_ADVICE = 'does not go with the kind mock, which calls nobody: remove it, or change the kind';
const BASE_URL_ADVICE =
  'is missing: the kind openaiCompatible needs the address of the API, such as https://api.groq.com/openai/v1';
const KEY_EXAMPLES = {
  openai: 'OPENAI_API_KEY',
  anthropic: 'ANTHROPIC_API_KEY',
  gemini: 'GEMINI_API_KEY',
} as const;

function modelFindings(model: unknown, path: Path): readonly Finding[] {
  return [...limitFindings(model, path), ...sightFindings(model, path)];
}

function limitFindings(model: unknown, path: Path): readonly Finding[] {
  const limits = readAs(Limits, model);
  if (limits === null || limits.contextWindow >= limits.maxOutputTokens) return [];
  const { contextWindow, maxOutputTokens } = limits;
  const message = `is ${maxOutputTokens}, but the contextWindow, which holds input and output together, is only ${contextWindow}: lower this or raise that`;
  return [{ path: [...path, 'maxOutputTokens'], message }];
}

function sightFindings(model: unknown, path: Path): readonly Finding[] {
  const sight = readAs(Sight, model);
  if (sight === null) return [];
  const canSee = sight.capabilities.includes('vision');
  const isStated = sight.imageTokensMax !== undefined;
  if (canSee === isStated) return [];
  const message = canSee
    ? 'is missing: a model with the capability vision must state the most input tokens that one image may be billed for'
    : 'does not go with a model without the capability vision: remove it, or add vision to the capabilities';
  return [{ path: [...path, 'imageTokensMax'], message }];
}

function readAs<T>(schema: z.ZodType<T>, value: unknown): T | null {
  const result = schema.safeParse(value);
  return result.success ? result.data : null;
}
