import type { LanguageModelV4Content, LanguageModelV4GenerateResult, SharedV4Warning } from '@ai-sdk/provider';
import type { ToolCall } from '../core/message.ts';
import type { Answer, FinishReason } from '../core/prompt.ts';
import { isJsonObject, type JsonObject } from '../core/tool.ts';
import { fieldAt } from './json-field.ts';
import { writtenCall } from './token-bound.ts';
import { type Received, usageOf } from './usage.ts';

/** A package's result as an answer. Null when it holds nothing: no text, no tool call, no refusal and no word on why. */
export function answerOf(
  result: LanguageModelV4GenerateResult,
  of: Omit<Received, 'text'> & {
    readonly warnings: readonly string[];
    /** The model's own refusal, which stands last among the texts. Null when there is none. */
    readonly refusal: string | null;
  },
): Answer | null {
  const { unified, raw } = result.finishReason;
  const texts = result.content.flatMap((part) => (part.type === 'text' ? [part.text] : []));
  const reasoning = result.content.flatMap((part) => (part.type === 'reasoning' ? [part.text] : []));
  const calls = result.content.flatMap((part) => (part.type === 'tool-call' ? [writtenCall(part)] : []));
  const ownRefusal = of.refusal;
  const written = ownRefusal !== null && texts.at(-1) === ownRefusal ? texts.slice(0, -1) : texts;
  const text = written.join('') === '' ? null : written.join('');
  if (text === null && calls.length === 0 && ownRefusal === null && raw === undefined) return null;
  return {
    text,
    refusal: ownRefusal ?? (unified === 'content-filter' ? `The provider's filter ended the answer (${raw}).` : null),
    toolCalls: result.content.flatMap(toolCallIn),
    logprobs: logprobsIn(result),
    finishReason: finishReasonOf(result.finishReason, { hasText: text !== null, hasCalls: calls.length > 0 }),
    usage: usageOf(result.usage, { ...of, text: [...texts, ...reasoning, ...calls].join('') }),
    warnings: [...of.warnings, ...result.warnings.map(readable)],
  };
}

/** OpenAI's refusal, from the body: its package appends it to the text. Null when there is none. */
export function refusalIn(result: LanguageModelV4GenerateResult): string | null {
  const refusal = fieldAt(result.response?.body, 'choices', 0, 'message', 'refusal');
  return typeof refusal === 'string' && refusal !== '' ? refusal : null;
}

/** One for the caller to make. What a provider called and ran by itself is none. */
function toolCallIn(part: LanguageModelV4Content): readonly ToolCall[] {
  if (part.type !== 'tool-call' || part.providerExecuted === true) return [];
  return [{ id: part.toolCallId, name: part.toolName, arguments: part.input }];
}

/**
 * From the body, since the packages have no common word for them; with both of OpenAI's lists, of which servers that only speak its
 * protocol leave one out. Null when there are none.
 */
function logprobsIn(result: LanguageModelV4GenerateResult): JsonObject | null {
  const logprobs = fieldAt(result.response?.body, 'choices', 0, 'logprobs');
  return isJsonObject(logprobs) ? { content: null, refusal: null, ...logprobs } : null;
}

/**
 * An end of a kind that no one foresaw is a plain end when something came, since servers invent such words. "error" is foreseen, though
 * the packages do not know it: gateways say it of what broke off.
 */
function finishReasonOf(
  { unified, raw }: LanguageModelV4GenerateResult['finishReason'],
  came: { readonly hasText: boolean; readonly hasCalls: boolean },
): FinishReason {
  switch (unified) {
    case 'stop':
    case 'length':
    case 'error':
      return unified;
    case 'content-filter':
      return 'contentFilter';
    case 'tool-calls':
      return 'toolCalls';
    case 'interrupted':
    case 'other':
      if (raw === 'error') return 'error';
      if (came.hasCalls) return 'toolCalls';
      return came.hasText ? 'stop' : 'error';
    default:
      return unified satisfies never;
  }
}

function readable(warning: SharedV4Warning): string {
  switch (warning.type) {
    case 'unsupported':
      return `${warning.feature} was not sent as asked: ${warning.details ?? 'the provider does not support it'}.`;
    case 'compatibility':
      return `${warning.feature}: ${warning.details ?? 'sent in another form'}.`;
    case 'deprecated':
      return `${warning.setting} is deprecated: ${warning.message}`;
    case 'other':
      return warning.message;
    default:
      return warning satisfies never;
  }
}
