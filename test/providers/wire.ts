import type { Answer } from '../../src/core/prompt.ts';
import type { ModelSpec } from '../../src/core/registry.ts';
import type { ProviderCall, ProviderResult } from '../../src/ports/provider.ts';
import type { SdkKind } from '../../src/providers/vendor.ts';
import { callOf, MODEL_NAMES, makeProvider, modelNamed } from './upstream.ts';

/** The least each vendor can answer. */
export const ANSWERS = {
  openai: {
    choices: [{ index: 0, message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 },
  },
  anthropic: {
    type: 'message',
    id: 'msg_1',
    model: 'x',
    role: 'assistant',
    content: [{ type: 'text', text: 'ok' }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 5, output_tokens: 1 },
  },
  gemini: {
    candidates: [{ content: { role: 'model', parts: [{ text: 'ok' }] }, finishReason: 'STOP' }],
    usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 1, totalTokenCount: 6 },
  },
  openaiCompatible: {
    choices: [{ index: 0, message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 },
  },
} as const satisfies Record<SdkKind, object>;

interface Sent {
  readonly url: string;
  readonly headers: Headers;
  readonly body: unknown;
  readonly redirect: RequestInit['redirect'];
}

/** Calls a provider whose network is a function that keeps what was sent and answers from a list, the last one for ever. */
export async function send(
  kind: SdkKind,
  over: Partial<ProviderCall> = {},
  answers: readonly unknown[] = [ANSWERS[kind]],
): Promise<{ readonly sent: readonly Sent[]; readonly result: ProviderResult }> {
  const sent: Sent[] = [];
  const provider = await makeProvider(kind, 'http://upstream.test', {
    fetch: async (input, init) => {
      const { headers, body, redirect } = init ?? {};
      sent.push({ url: String(input), headers: new Headers(headers), body: JSON.parse(String(body)), redirect });
      return Response.json(answers[Math.min(sent.length, answers.length) - 1]);
    },
  });
  return { sent, result: await provider.call(callOf(kind, over), new AbortController().signal) };
}

export function answerIn(result: ProviderResult): Answer {
  if (result.kind !== 'answered') throw new Error(result.failure.message);
  return result.answer;
}

export function modelOf(kind: SdkKind, over: Partial<ModelSpec> = {}): ModelSpec {
  return modelNamed(MODEL_NAMES[kind], over);
}
