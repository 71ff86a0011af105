import { z } from 'zod';
import { CATEGORIES } from '../../core/category.ts';
import { SORTS } from '../../core/chat-request.ts';
import type { RawPreferences } from '../../core/raw-chat.ts';
import { parseAmount } from './exact-number.ts';
import type { RestIssue } from './names.ts';

const NAMES = z.array(z.string()).nullish();

/** US dollars, as a text or a number. */
export const AMOUNT = z
  .unknown()
  .transform((value, context) => {
    if (value === null || value === undefined) return null;
    const amount = parseAmount(value);
    if (amount !== null) return amount;
    context.addIssue(
      'must be US dollars as a text or a number, such as "0.05", with at most 12 digits after the point',
    );
    return z.NEVER;
  })
  .optional();

/** The `provider` object, with the names that OpenRouter gave it. */
export const PROVIDER_WISHES = z.looseObject({
  order: NAMES,
  only: NAMES,
  ignore: NAMES,
  sort: z.enum(SORTS).nullish(),
  max_price: z.strictObject({ prompt: AMOUNT, completion: AMOUNT }).nullish(),
  allow_fallbacks: z.boolean().nullish(),
  require_parameters: z.boolean().nullish(),
  /** Seconds. */
  preferred_max_latency: z.number().nullish(),
  max_attempts: z.number().nullish(),
  category: z.enum(CATEGORIES).nullish(),
});

/** Promises that cannot be kept, because nothing is known of what they are about. */
const NOT_OFFERED = ['data_collection', 'zdr', 'quantizations', 'preferred_min_throughput'];

/** What asks for nothing can be promised. As JSON. */
const NEUTRAL: Readonly<Record<string, string>> = { data_collection: '"allow"', zdr: 'false', quantizations: '[]' };

/** To ignore a wish would be to promise what nobody keeps. */
export function refusedProviderWishes(wishes: z.infer<typeof PROVIDER_WISHES>): readonly RestIssue[] {
  return Object.keys(wishes)
    .filter((name) => !Object.hasOwn(PROVIDER_WISHES.shape, name) && wishes[name] !== null)
    .filter((name) => !(Object.hasOwn(NEUTRAL, name) && NEUTRAL[name] === JSON.stringify(wishes[name])))
    .map((name) => {
      const what = NOT_OFFERED.includes(name) ? 'is not offered' : 'is not known';
      return { param: `provider.${name}`, message: `${what} here, and would not be kept. Leave it out` };
    });
}

/** What a model does not take is dropped with a warning unless the caller says otherwise: so do the routers that this object comes from. */
export function rawPreferencesOf(wishes: z.infer<typeof PROVIDER_WISHES>): RawPreferences {
  const { order, only, ignore, sort, category } = wishes;
  const latencyS = wishes.preferred_max_latency ?? null;
  return {
    order,
    only,
    ignore,
    sort,
    category,
    allowFallbacks: wishes.allow_fallbacks,
    maxAttempts: wishes.max_attempts,
    requireParameters: wishes.require_parameters ?? false,
    maxLatencyMs: latencyS === null ? null : Math.round(latencyS * 1_000),
    maxPrice: {
      inputUsdPerMillion: wishes.max_price?.prompt,
      outputUsdPerMillion: wishes.max_price?.completion,
    },
  };
}
