import type { Delta } from '../../core/delta.ts';
import type { Answered, Cost } from '../../core/outcome.ts';
import { finishReasonOf } from './completion.ts';
import { errorObjectOf, type RestError } from './rest-error.ts';
import { NO_TOKENS, usageOf } from './usage.ts';

/** What every chunk of a stream says. */
export interface ChunkHead {
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  /** The model's exact name; what was asked for, while nobody has it. */
  readonly model: string;
  /** Null: nobody has it. */
  readonly provider: string | null;
  /** A chunk of usage comes last, and all others say that they have none. */
  readonly includesUsage: boolean;
}

/** A piece of the answer. The first one says who speaks. */
export function deltaChunkOf(head: ChunkHead, delta: Delta, isFirst: boolean) {
  return chunkOf(head, { delta: { ...roleOf(isFirst), ...pieceOf(delta) }, finish_reason: null });
}

/** After the last piece. */
export function finishChunkOf(
  head: ChunkHead,
  { answer, isFirst, warnings }: Pick<Answered, 'answer' | 'warnings'> & { readonly isFirst: boolean },
) {
  const delta = { ...roleOf(isFirst), ...(answer.refusal === null ? {} : { refusal: answer.refusal }) };
  const chunk = chunkOf(head, { delta, finish_reason: finishReasonOf(answer.finishReason) });
  return warnings.length > 0 ? { ...chunk, warnings } : chunk;
}

export function usageChunkOf(head: ChunkHead, { usage, cost }: Answered) {
  return { ...chunkOf(head, null), usage: usageOf(usage, cost) };
}

/** The answer broke off. With `choices`, for clients that read nothing else. `cost` is null when nobody knows it. */
export function errorChunkOf(
  head: ChunkHead,
  { error, cost }: { readonly error: RestError; readonly cost: Cost | null },
) {
  return {
    ...chunkOf(head, { delta: {}, finish_reason: 'error' }),
    ...(head.includesUsage && cost !== null ? { usage: usageOf(NO_TOKENS, cost) } : {}),
    error: errorObjectOf(error),
  };
}

function chunkOf(head: ChunkHead, choice: { readonly delta: object; readonly finish_reason: string | null } | null) {
  const { id, created, model, provider, includesUsage } = head;
  return {
    id,
    object: 'chat.completion.chunk',
    created,
    model,
    ...(provider === null ? {} : { provider }),
    choices: choice === null ? [] : [{ index: 0, ...choice, logprobs: null }],
    ...(includesUsage ? { usage: null } : {}),
  };
}

function roleOf(isFirst: boolean) {
  return isFirst ? { role: 'assistant' } : {};
}

function pieceOf(delta: Delta) {
  switch (delta.kind) {
    case 'text':
      return { content: delta.text };
    case 'reasoning':
      return { reasoning_content: delta.text };
    case 'toolCall':
      return { tool_calls: [toolCallPieceOf(delta)] };
    default:
      return delta satisfies never;
  }
}

function toolCallPieceOf({ index, id, name, argumentsChunk }: Extract<Delta, { readonly kind: 'toolCall' }>) {
  const called = { ...(name === null ? {} : { name }), arguments: argumentsChunk ?? '' };
  return { index, ...(id === null ? {} : { id, type: 'function' }), function: called };
}
