import { z } from 'zod';
import { CATEGORIES } from '../core/category.ts';
import { type PricePerMTok, parsePricePerMTok } from '../core/money.ts';
import { CAPABILITIES, PARAMETERS, PROVIDER_KINDS } from '../core/registry.ts';
import { parseBaseUrl } from '../settings.ts';
import { says, saysChoice, saysQuietly, wrong } from './wording.ts';

const LIMITS = {
  providersMax: 100,
  modelsMax: 500,
  aliasesMax: 50,
  charsMax: 200,
  keyCharsMax: 40,
  requestsPerMinuteMax: 10_000,
  tokensMax: 100_000_000,
  latencyMsMax: 600_000,
  tokensPerSecondMax: 100_000,
  /** One cent a token: more than that is a slip of the unit. With the most tokens, it still makes a sum of 64 bits. */
  priceUsdMax: 10_000,
} as const;

const PRICE_WORDS = `US dollars per million tokens, a decimal number from 0 to ${LIMITS.priceUsdMax} with at most 6 digits after the point`;

const price = z
  .union(
    [
      z.number(says(PRICE_WORDS)).min(0, says(PRICE_WORDS)).max(LIMITS.priceUsdMax, says(PRICE_WORDS)),
      z.string(says(PRICE_WORDS)).regex(/^\d{1,5}(\.\d{1,6})?$/, says(PRICE_WORDS)),
    ],
    says(PRICE_WORDS),
  )
  .transform((value, context): PricePerMTok => {
    const parsed = parsePricePerMTok(String(value));
    if (parsed !== null && Number(value) <= LIMITS.priceUsdMax) return parsed;
    context.addIssue({ code: 'custom', message: wrong(value, PRICE_WORDS) });
    return z.NEVER;
  });

export const ModelSchema = z.strictObject(
  {
    name: text(
      /^(?![Aa][Uu][Tt][Oo]$)\S+$/,
      'the exact name at the provider, without white space and not "auto"',
    ).describe('Exact name at the provider.'),
    aliases: list(
      'names',
      text(/^(?![Aa][Uu][Tt][Oo]$)[^\s/]+$/, 'a name without "/" or white space, and not "auto"'),
      LIMITS.aliasesMax,
    )
      .default([])
      .describe('More names that callers may use. Several providers may share one: then any of them may answer.'),
    inputUsdPerMillion: price.describe('List price of input, in US dollars per million tokens.'),
    outputUsdPerMillion: price.describe('List price of output, in US dollars per million tokens.'),
    cachedInputUsdPerMillion: price.optional().describe('Price of cached input. Absent: as other input.'),
    reasoningUsdPerMillion: price.optional().describe('Price of reasoning. Absent: as other output.'),
    contextWindow: whole(1, LIMITS.tokensMax).describe('Most tokens of input and output together.'),
    maxOutputTokens: whole(1, LIMITS.tokensMax).describe('Most tokens of one answer.'),
    capabilities: list('words', oneOf(CAPABILITIES), CAPABILITIES.length).describe(
      'What the model can do beyond plain text.',
    ),
    unsupportedParameters: list('words', oneOf(PARAMETERS), PARAMETERS.length)
      .default([])
      .describe('Parameters of a request that the model ignores or refuses.'),
    imageTokensMax: whole(1, LIMITS.tokensMax)
      .optional()
      .describe('Most input tokens one image may be billed for. A model with the capability `vision` must state it.'),
    quality: decimal(0, 1).describe("The operator's own judgement."),
    typicalLatencyMs: whole(1, LIMITS.latencyMsMax).describe(
      'Expected milliseconds to the complete answer, until real answers have been measured.',
    ),
    typicalTokensPerSecond: decimal(0.1, LIMITS.tokensPerSecondMax).describe(
      'Expected speed, until real answers have been measured.',
    ),
  },
  says('a map that describes a model'),
);

export const ProviderSchema = z.strictObject(
  {
    key: text(/^[a-z][a-z0-9-]*$/, 'a slug of lower-case letters, digits and hyphens', LIMITS.keyCharsMax).describe(
      'Short name, unique in the file.',
    ),
    displayName: text(/\S/, 'a name for people').describe('Name for people.'),
    kind: oneOf(PROVIDER_KINDS).describe('Which protocol the provider speaks.'),
    apiKeyEnv: variable()
      .optional()
      .describe('Environment variable with the API key. While it is unset, a mock stands in.'),
    baseUrl: address().optional().describe('Where the API is. Needed by `openaiCompatible` only.'),
    baseUrlEnv: variable().optional().describe('Environment variable that overrides `baseUrl` when it is set.'),
    areErrorsBilled: z
      .boolean(says('true or false'))
      .default(true)
      .describe('Whether the vendor may bill calls that it answers with a 5xx.'),
    requestsPerMinute: whole(1, LIMITS.requestsPerMinuteMax).describe(
      'Rolling limit over 60 seconds, for all replicas together.',
    ),
    specialties: list('words', oneOf(CATEGORIES), CATEGORIES.length)
      .default([])
      .describe('Kinds of prompts for which the provider is preferred.'),
    models: list('models', ModelSchema, LIMITS.modelsMax, 1).describe(
      'What the provider offers, in the order that breaks ties.',
    ),
  },
  says('a map that describes a provider'),
);

export const RegistrySchema = z.strictObject(
  {
    $schema: z.string(says('the address of a JSON Schema')).optional().describe('For editors; ignored here.'),
    priceListVersion: text(/^\S+$/, 'a name without white space, such as 2025-11-24').describe(
      'Names the price list, so that any bill can be recomputed.',
    ),
    providers: list('providers', ProviderSchema, LIMITS.providersMax, 1).describe(
      'All providers, in the order that breaks ties in ranking.',
    ),
  },
  says('a map with priceListVersion and providers'),
);

/** The same rules for editors, as JSON Schema draft 7. What looks at two fields together is only checked by us. */
export function printJsonSchema(): string {
  const schema = z.toJSONSchema(RegistrySchema, { io: 'input', target: 'draft-7' });
  return `${JSON.stringify({ title: 'Switchyard registry of providers', ...schema }, null, 2)}\n`;
}

function text(pattern: RegExp, words: string, charsMax: number = LIMITS.charsMax) {
  const said = says(`${words}, at most ${charsMax} characters`);
  return z.string(said).max(charsMax, said).regex(pattern, said);
}

function list<T extends z.ZodType>(what: string, item: T, max: number, min = 0) {
  const said = says(`a list of ${min} to ${max} ${what}`);
  return z.array(item, said).min(min, said).max(max, said);
}

function oneOf<const W extends readonly string[]>(words: W) {
  return z.enum(words, saysChoice(words));
}

function whole(min: number, max: number) {
  const said = says(`a whole number from ${min} to ${max}`);
  return z.int(said).min(min, said).max(max, said);
}

function decimal(min: number, max: number) {
  const said = says(`a number from ${min} to ${max}`);
  return z.number(said).min(min, said).max(max, said);
}

/** The name of an environment variable. A key pasted here by mistake is not repeated in the fault. */
function variable() {
  const said = saysQuietly('the name of an environment variable in capitals, such as GROQ_API_KEY, never a key itself');
  return z.string(said).regex(/^[A-Z][A-Z0-9_]{0,99}$/, said);
}

/** The address of an API. It may hold credentials by mistake, so it is not repeated in the fault. */
function address() {
  const said = saysQuietly('an http:// or https:// URL without credentials, query or fragment');
  const isUrl = (value: string) => parseBaseUrl(value) !== null;
  return z
    .string(said)
    .max(LIMITS.charsMax, said)
    .regex(/^https?:\/\/[^\s?#@]+$/, said)
    .refine(isUrl, said);
}
