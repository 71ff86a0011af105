import { CHAT_LIMITS } from './chat-request.ts';
import type { RawChat, Report } from './raw-chat.ts';
import type { ProviderKind } from './registry.ts';
import { isJsonObject, isNestedTooDeep, type JsonObject, TOO_DEEP } from './tool.ts';

/** An extra field that is known well enough to say whether its value is one. */
interface KnownExtra {
  isValid(value: unknown): boolean;
  readonly rule: string;
}

const TEXT: KnownExtra = { isValid: (value) => typeof value === 'string', rule: 'must be a text' };

/** Most alternatives to a token that OpenAI tells. */
const TOP_LOGPROBS_MAX = 20;

const VERBOSITIES: readonly unknown[] = ['low', 'medium', 'high'];

/** Extra fields that OpenAI itself takes. A server that speaks its protocol is given all. */
const KNOWN_TO_OPENAI: Readonly<Record<string, KnownExtra>> = {
  logit_bias: {
    isValid: (value) => isJsonObject(value) && Object.values(value).every((bias) => typeof bias === 'number'),
    rule: 'must be an object of numbers, such as {"50256": -100}',
  },
  logprobs: { isValid: (value) => typeof value === 'boolean', rule: 'must be true or false' },
  top_logprobs: {
    isValid: (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= TOP_LOGPROBS_MAX,
    rule: `must be a whole number from 0 to ${TOP_LOGPROBS_MAX}`,
  },
  verbosity: { isValid: (value) => VERBOSITIES.includes(value), rule: 'must be one of low, medium, high' },
  prompt_cache_key: TEXT,
  safety_identifier: TEXT,
};

/**
 * Extra fields that are never passed on. The first would say again, in other words, what the request says already; the others
 * make an answer cost more than its output limit says, or its input longer than what was counted, so that no hold could cover it.
 */
const NEVER_PASSED = {
  saidElsewhere: [
    'model',
    'messages',
    'stream',
    'stream_options',
    'max_tokens',
    'max_completion_tokens',
    'max_new_tokens',
    'max_output_tokens',
    // llama.cpp lets this one overrule max_tokens.
    'n_predict',
    'num_predict',
    'tools',
    'tool_choice',
    'functions',
    'function_call',
    'response_format',
  ],
  dear: [
    'n',
    'best_of',
    'use_beam_search',
    'service_tier',
    'prediction',
    'modalities',
    'audio',
    'plugins',
    'mcp_servers',
    'fallbacks',
    'web_search',
    'web_search_options',
    'search_parameters',
    'search_options',
    'search_settings',
    'enable_search',
    'data_sources',
    'documents',
    'chat_template',
    'mm_processor_kwargs',
    'media_io_kwargs',
  ],
};

/** Values of the dear ones that ask for nothing: programs send them always. As JSON. */
const NEUTRAL: Readonly<Record<string, readonly string[]>> = {
  n: ['1'],
  best_of: ['1'],
  use_beam_search: ['false'],
  service_tier: ['"auto"', '"default"'],
  modalities: ['["text"]'],
  plugins: ['[]'],
  web_search: ['false'],
  enable_search: ['false'],
  documents: ['[]'],
};

/** The extra fields of a request. Null: none. */
export function parseExtras(raw: RawChat, report: Report): JsonObject | null {
  const named = Object.entries(raw.extras ?? {}).filter(([, value]) => value !== null && value !== undefined);
  const deep = named.filter(([, value]) => isNestedTooDeep(value));
  for (const [name] of deep) report([name], TOO_DEEP);
  // What is too deep cannot even be written as JSON.
  if (deep.length > 0) return null;
  const said = named.filter(([name, value]) => !isNeutral(name, value));
  if (said.length === 0) return null;
  for (const [name, value] of said) checkExtra(name, value, report);
  const chars = JSON.stringify(said).length;
  if (chars > CHAT_LIMITS.extrasCharsMax) {
    report(
      [said[0]?.[0] ?? ''],
      `extra fields may have ${CHAT_LIMITS.extrasCharsMax} characters as JSON, not ${chars}`,
    );
  }
  return Object.fromEntries(said);
}

function isNeutral(name: string, value: unknown): boolean {
  return Object.hasOwn(NEUTRAL, name) && (NEUTRAL[name] ?? []).includes(JSON.stringify(value));
}

function checkExtra(name: string, value: unknown, report: Report): void {
  if (NEVER_PASSED.saidElsewhere.includes(name)) report([name], 'has a field of its own; do not send it as another');
  if (NEVER_PASSED.dear.includes(name)) report([name], 'is not passed on: it may cost more than any hold covers');
  const known = Object.hasOwn(KNOWN_TO_OPENAI, name) ? KNOWN_TO_OPENAI[name] : undefined;
  if (known !== undefined && !known.isValid(value)) report([name], known.rule);
}

/** The names of the extra fields that a provider of this kind is not sent. */
export function droppedExtrasOf(kind: ProviderKind, extras: JsonObject | null): readonly string[] {
  const names = Object.keys(extras ?? {});
  if (kind === 'openaiCompatible') return [];
  return kind === 'openai' ? names.filter((name) => !Object.hasOwn(KNOWN_TO_OPENAI, name)) : names;
}
