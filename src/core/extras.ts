import { CHAT_LIMITS } from './chat-request.ts';
import type { RawChat, Report } from './raw-chat.ts';
import type { ProviderKind } from './registry.ts';
import type { JsonObject } from './tool.ts';

/** Extra fields that OpenAI itself takes. A server that speaks its protocol is given all. */
const KNOWN_TO_OPENAI = ['logit_bias', 'logprobs', 'top_logprobs'];

/**
 * Extra fields that are never passed on. The first would say again, in other words, what the request says already; the others
 * make an answer cost more than its output limit says, so that no hold could cover it.
 */
const NEVER_PASSED = {
  saidElsewhere: [
    'model',
    'messages',
    'stream',
    'stream_options',
    'max_tokens',
    'max_completion_tokens',
    'tools',
    'tool_choice',
    'functions',
    'function_call',
    'response_format',
  ],
  dear: ['n', 'best_of', 'service_tier', 'prediction', 'web_search_options', 'modalities', 'audio', 'plugins'],
};

/** The extra fields of a request. Null: none. */
export function parseExtras(raw: RawChat, report: Report): JsonObject | null {
  const said = Object.entries(raw.extras ?? {}).filter(([, value]) => value !== null && value !== undefined);
  if (said.length === 0) return null;
  for (const [name] of said) {
    if (NEVER_PASSED.saidElsewhere.includes(name)) report([name], 'has a field of its own; do not send it as another');
    if (NEVER_PASSED.dear.includes(name)) report([name], 'is not passed on: it may cost more than any hold covers');
  }
  const chars = JSON.stringify(said).length;
  if (chars > CHAT_LIMITS.extrasCharsMax) {
    report(
      [said[0]?.[0] ?? ''],
      `extra fields may have ${CHAT_LIMITS.extrasCharsMax} characters as JSON, not ${chars}`,
    );
  }
  return Object.fromEntries(said);
}

/** The names of the extra fields that a provider of this kind is not sent. */
export function droppedExtrasOf(kind: ProviderKind, extras: JsonObject | null): readonly string[] {
  const names = Object.keys(extras ?? {});
  if (kind === 'openaiCompatible') return [];
  return kind === 'openai' ? names.filter((name) => !KNOWN_TO_OPENAI.includes(name)) : names;
}
