import { AsyncLocalStorage } from 'node:async_hooks';
import type { LanguageModelV4, LanguageModelV4CallOptions, SharedV4ProviderOptions } from '@ai-sdk/provider';
import type { Prompt, ReasoningEffort } from '../core/prompt.ts';
import type { ProviderKind } from '../core/registry.ts';
import type { SystemPlace } from './rendering.ts';

export type SdkKind = Exclude<ProviderKind, 'mock'>;

/** Where a provider is and who we are there. */
export interface VendorAccess {
  readonly kind: SdkKind;
  /** Null when the server asks for none, as some compatible servers do. */
  readonly apiKey: string | null;
  readonly baseUrl: string;
}

/** A package's model, as far as it is used. */
type VendorModel = Pick<LanguageModelV4, 'doGenerate' | 'doStream'>;

type LimitOptions = Pick<LanguageModelV4CallOptions, 'maxOutputTokens' | 'reasoning' | 'providerOptions'>;

interface ModelAccess {
  readonly name: string;
  readonly fetch: typeof fetch;
}

/** What differs between the vendors' packages. */
export interface Vendor {
  readonly systemPlace: SystemPlace;
  /** Whether it can be told how closely to look at an image. */
  readonly takesImageDetail: boolean;
  /** One model that goes to the network through `fetch`. Made per attempt: it takes 2 to 12 µs. */
  makeModel(of: ModelAccess): VendorModel;
  /** The output limit and the effort such that the vendor generates at most `maxOutputTokens`, reasoning included. */
  limits(of: { readonly model: string; readonly maxOutputTokens: number; readonly effort: ReasoningEffort | null }): {
    readonly options: LimitOptions;
    readonly warnings: readonly string[];
  };
  /** What the packages have no common word for, in this one's own words. */
  ownOptions(prompt: Prompt): SharedV4ProviderOptions;
  /** What the package is told when it asks for a second request. */
  furtherAnswer(): Response;
}

/** Where the vendors' own services are. Always handed over: without it a package reads the environment. */
export const BASE_URLS = {
  openai: 'https://api.openai.com/v1',
  anthropic: 'https://api.anthropic.com/v1',
  gemini: 'https://generativelanguage.googleapis.com/v1beta',
} as const;

/** Loads a vendor's package, which takes 70 to 150 ms once, so only those in use are loaded. */
export async function loadVendor(access: VendorAccess): Promise<Vendor> {
  const shared = { apiKey: access.apiKey ?? '', baseURL: access.baseUrl };
  switch (access.kind) {
    case 'openai': {
      const { createOpenAI } = await import('@ai-sdk/openai');
      return {
        ...PLAIN,
        makeModel: ({ name, fetch }) => createOpenAI({ ...shared, fetch }).chat(name),
        ownOptions: openaiOptions,
      };
    }
    case 'openaiCompatible': {
      const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible');
      const settings = { ...shared, name: COMPATIBLE, supportsStructuredOutputs: true };
      return {
        ...PLAIN,
        makeModel: madeOnce(({ name, fetch }) => createOpenAICompatible({ ...settings, fetch })(name)),
        ownOptions: compatibleOptions,
      };
    }
    case 'gemini': {
      const { createGoogle } = await import('@ai-sdk/google');
      return { ...GEMINI, makeModel: ({ name, fetch }) => createGoogle({ ...shared, fetch })(name) };
    }
    case 'anthropic': {
      const { createAnthropic } = await import('@ai-sdk/anthropic');
      const { getModelCapabilities } = await import('@ai-sdk/anthropic/internal');
      return {
        ...PLAIN,
        systemPlace: 'first',
        takesImageDetail: false,
        makeModel: ({ name, fetch }) => createAnthropic({ ...shared, fetch })(name),
        limits: (of) => (getModelCapabilities(of.model).supportsAdaptiveThinking ? PLAIN.limits(of) : budgetLimits(of)),
        ownOptions: ({ tools }) =>
          tools === null || tools.isParallel === null
            ? {}
            : { anthropic: { disableParallelToolUse: !tools.isParallel } },
      };
    }
    default:
      return access.kind satisfies never;
  }
}

/**
 * Makes each model of the registry once, for a package that builds its schemas anew with every model: 0.5 ms of an attempt. The
 * attempt's own `fetch` comes along with the call.
 */
function madeOnce(make: (of: ModelAccess) => LanguageModelV4): Vendor['makeModel'] {
  const networks = new AsyncLocalStorage<typeof fetch>();
  const models = new Map<string, LanguageModelV4>();
  const fetchOfCall: typeof fetch = (...request) => {
    const network = networks.getStore();
    if (network === undefined) throw new Error('the provider package went to the network outside of a call');
    return network(...request);
  };
  return ({ name, fetch }) => {
    const model = models.get(name) ?? make({ name, fetch: fetchOfCall });
    models.set(name, model);
    return {
      doGenerate: (options) => networks.run(fetch, () => model.doGenerate(options)),
      doStream: (options) => networks.run(fetch, () => model.doStream(options)),
    };
  };
}

const PLAIN: Omit<Vendor, 'makeModel'> = {
  systemPlace: 'anywhere',
  takesImageDetail: true,
  limits: ({ maxOutputTokens, effort }) => ({
    options: effort === null ? { maxOutputTokens } : { maxOutputTokens, reasoning: effort },
    warnings: [],
  }),
  ownOptions: () => ({}),
  furtherAnswer: () => {
    throw new Error('the provider package asked for a second request in one attempt');
  },
};

/**
 * Gemini's package answers the finish reason CONTINUATION by sending everything again, up to the model's own end, and each
 * time the prompt is billed anew. It is told that the limit is reached instead, so the first answer is what the caller gets.
 */
const GEMINI: Omit<Vendor, 'makeModel'> = {
  ...PLAIN,
  systemPlace: 'first',
  takesImageDetail: false,
  furtherAnswer: () => Response.json({ candidates: [{ finishReason: 'MAX_TOKENS' }] }),
};

/** Anthropic's least budget for thinking. */
const THINKING_TOKENS_MIN = 1_024;

/** Share of the output limit that an effort may think. */
const THINKING_SHARES = { minimal: 0.1, low: 0.2, medium: 0.5, high: 0.8 } as const satisfies Record<
  ReasoningEffort,
  number
>;

/**
 * For Claude models that think within a budget. Their package would send the output limit *plus* a budget of its own, more than
 * the money held covers. So the budget is ours, and what the package adds up to is the limit again.
 */
function budgetLimits(of: Parameters<Vendor['limits']>[0]): ReturnType<Vendor['limits']> {
  const { maxOutputTokens, effort } = of;
  if (effort === null) return PLAIN.limits(of);
  if (maxOutputTokens < 2 * THINKING_TOKENS_MIN) {
    const warnings = [`reasoningEffort was not sent: ${maxOutputTokens} output tokens leave no room for thinking.`];
    return { options: { maxOutputTokens }, warnings };
  }
  const budgetTokens = Math.max(THINKING_TOKENS_MIN, Math.floor(maxOutputTokens * THINKING_SHARES[effort]));
  const thinking = { type: 'enabled', budgetTokens };
  return {
    options: { maxOutputTokens: maxOutputTokens - budgetTokens, providerOptions: { anthropic: { thinking } } },
    warnings: [],
  };
}

/** Under this name the package of compatible servers looks for options of its own. */
const COMPATIBLE = 'compatible';

function openaiOptions({ tools, responseFormat, extras }: Prompt): SharedV4ProviderOptions {
  const options = {
    parallelToolCalls: tools?.isParallel ?? undefined,
    strictJsonSchema: responseFormat?.kind === 'jsonSchema' ? responseFormat.isStrict : undefined,
    logitBias: extras?.logit_bias,
    // One field for two: a number asks for that many alternatives.
    logprobs: extras?.top_logprobs ?? extras?.logprobs,
    textVerbosity: extras?.verbosity,
    promptCacheKey: extras?.prompt_cache_key,
    safetyIdentifier: extras?.safety_identifier,
  };
  return { openai: parseJson(options) };
}

/** What this package does not know it passes on under the same name. */
function compatibleOptions({ tools, responseFormat, extras }: Prompt): SharedV4ProviderOptions {
  const options = {
    ...extras,
    parallel_tool_calls: tools?.isParallel ?? undefined,
    strictJsonSchema: responseFormat?.kind === 'jsonSchema' ? responseFormat.isStrict : undefined,
  };
  return { [COMPATIBLE]: parseJson(options) };
}

/** As it will be written: what is undefined is not there. */
function parseJson(value: object): SharedV4ProviderOptions[string] {
  return JSON.parse(JSON.stringify(value));
}

/** Two sets of options as one. */
export function mergeOptions(one: SharedV4ProviderOptions, other: SharedV4ProviderOptions): SharedV4ProviderOptions {
  const merged = { ...one };
  for (const [name, options] of Object.entries(other)) merged[name] = { ...merged[name], ...options };
  return merged;
}
