import type { ProviderKind } from '../../../src/core/registry.ts';

/** A protocol that the simulator speaks, as the AI SDK's packages call it. */
export type Wire = Exclude<ProviderKind, 'mock'>;

export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** What a body of any wire asks for, as far as a bill needs it. */
export interface Asked {
  /** The bytes of the prompt: no tokenizer makes more tokens than these. */
  readonly promptBytes: number;
  /** Null when the body names no limit. */
  readonly outputTokensMax: number | null;
}

/** Where each package expects its API below a server's address. */
export const BASE_PATHS = {
  openai: '/v1',
  anthropic: '/v1',
  gemini: '/v1beta',
  openaiCompatible: '/v1',
} as const satisfies Record<Wire, string>;

const LIMIT_FIELD = /"(?:max_completion_tokens|max_tokens|maxOutputTokens)":(\d+)/;
const TEXT_FIELD = /"(?:content|text)":"((?:[^"\\]|\\.)*)"/g;

export function readAsked(body: string): Asked {
  const limit = LIMIT_FIELD.exec(body)?.[1];
  const texts = [...body.matchAll(TEXT_FIELD)].map((found) => Buffer.byteLength(found[1] ?? ''));
  return {
    promptBytes: texts.reduce((sum, bytes) => sum + bytes, 0),
    outputTokensMax: limit === undefined ? null : Number(limit),
  };
}

/** A complete answer of one wire, with its usage. */
export function answerOf(wire: Wire, { inputTokens, outputTokens }: Usage): object {
  switch (wire) {
    case 'openai':
    case 'openaiCompatible':
      return {
        id: 'chatcmpl-arena',
        object: 'chat.completion',
        created: 0,
        model: 'arena',
        choices: [{ index: 0, message: { role: 'assistant', content: 'All clear.' }, finish_reason: 'stop' }],
        usage: {
          prompt_tokens: inputTokens,
          completion_tokens: outputTokens,
          total_tokens: inputTokens + outputTokens,
        },
      };
    case 'anthropic':
      return {
        type: 'message',
        id: 'msg_arena',
        model: 'arena',
        role: 'assistant',
        content: [{ type: 'text', text: 'All clear.' }],
        stop_reason: 'end_turn',
        stop_sequence: null,
        usage: { input_tokens: inputTokens, output_tokens: outputTokens },
      };
    case 'gemini':
      return {
        candidates: [{ content: { role: 'model', parts: [{ text: 'All clear.' }] }, finishReason: 'STOP' }],
        usageMetadata: {
          promptTokenCount: inputTokens,
          candidatesTokenCount: outputTokens,
          totalTokenCount: inputTokens + outputTokens,
        },
      };
    default:
      return wire satisfies never;
  }
}

/** An error of one wire. */
export function errorOf(wire: Wire, message: string): object {
  return wire === 'anthropic' ? { type: 'error', error: { type: 'api_error', message } } : { error: { message } };
}
