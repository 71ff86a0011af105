import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Usage, Wire } from './wire.ts';

/** How an upstream streams an answer, one piece a token. */
export interface Streaming {
  readonly tokens: number;
  readonly everyMs: number;
}

/** Writes an answer piece by piece, until all is written or the caller is gone. Each piece is told before it goes out: then it is billed. */
export async function stream(of: {
  readonly wire: Wire;
  readonly inputTokens: number;
  readonly streaming: Streaming;
  readonly response: ServerResponse;
  readonly onPiece: () => void;
}): Promise<void> {
  const { response, streaming } = of;
  const frames = framesOf(of.wire, { inputTokens: of.inputTokens, outputTokens: streaming.tokens });
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(frames.start);
  for (let place = 0; place < streaming.tokens; place += 1) {
    await sleep(streaming.everyMs);
    if (response.closed) return;
    of.onPiece();
    response.write(frames.piece(pieceOf(place)));
  }
  response.end(frames.end);
}

/** What a reader must have at a place of the answer. */
export function pieceOf(place: number): string {
  return `${place} `;
}

/** How many whole pieces a reader has, however they were joined on their way. */
export function tokensIn(text: string): number {
  return text.split(' ').length - 1;
}

interface Frames {
  readonly start: string;
  readonly piece: (text: string) => string;
  readonly end: string;
}

function framesOf(wire: Wire, usage: Usage): Frames {
  switch (wire) {
    case 'openai':
    case 'openaiCompatible':
      return openaiFrames(usage);
    case 'anthropic':
      return anthropicFrames(usage);
    case 'gemini':
      return geminiFrames(usage);
    default:
      return wire satisfies never;
  }
}

function openaiFrames({ inputTokens, outputTokens }: Usage): Frames {
  const chunk = (body: object) =>
    frame({ id: 'chatcmpl-arena', object: 'chat.completion.chunk', created: 0, model: 'arena', ...body });
  const delta = (content: object, finish: string | null = null) =>
    chunk({ choices: [{ index: 0, delta: content, finish_reason: finish }] });
  const usage = {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
  };
  return {
    start: delta({ role: 'assistant', content: '' }),
    piece: (text) => delta({ content: text }),
    end: `${delta({}, 'stop')}${chunk({ choices: [], usage })}data: [DONE]\n\n`,
  };
}

function anthropicFrames({ inputTokens, outputTokens }: Usage): Frames {
  const event = (type: string, body: object) => `event: ${type}\n${frame({ type, ...body })}`;
  const message = {
    id: 'msg_arena',
    type: 'message',
    role: 'assistant',
    model: 'arena',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: inputTokens, output_tokens: 1 },
  };
  return {
    start: `${event('message_start', { message })}${event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } })}`,
    piece: (text) => event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } }),
    end: [
      event('content_block_stop', { index: 0 }),
      event('message_delta', {
        delta: { stop_reason: 'end_turn', stop_sequence: null },
        usage: { output_tokens: outputTokens },
      }),
      event('message_stop', {}),
    ].join(''),
  };
}

function geminiFrames({ inputTokens, outputTokens }: Usage): Frames {
  const usageMetadata = {
    promptTokenCount: inputTokens,
    candidatesTokenCount: outputTokens,
    totalTokenCount: inputTokens + outputTokens,
  };
  const part = (text: string, rest: object = {}) =>
    frame({ candidates: [{ content: { role: 'model', parts: [{ text }] }, index: 0, ...rest }], usageMetadata });
  return { start: '', piece: (text) => part(text), end: part('', { finishReason: 'STOP' }) };
}

function frame(body: object): string {
  return `data: ${JSON.stringify(body)}\n\n`;
}
