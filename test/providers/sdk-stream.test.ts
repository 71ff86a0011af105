import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Delta } from '../../src/core/delta.ts';
import { AttemptAborted } from '../../src/core/failure.ts';
import type { SdkKind } from '../../src/providers/vendor.ts';
import { callOf, MODEL_NAMES, makeProvider, modelNamed, openUpstream, SDK_KINDS, sendJson } from './upstream.ts';

// Streams as each vendor really sends them, over a real connection.

const openaiChunk = (delta: object, finish: string | null = null) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const OPENAI = {
  pieces: [
    openaiChunk({ role: 'assistant', content: '' }),
    openaiChunk({ content: 'Hello' }),
    openaiChunk({ content: ', Ann' }),
  ],
  end: [
    openaiChunk({}, 'stop'),
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [], usage: { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 } })}\n\n`,
    'data: [DONE]\n\n',
  ],
};

const named = (type: string, body: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...body })}\n\n`;
const anthropicText = (text: string) => named('content_block_delta', { index: 0, delta: { type: 'text_delta', text } });
const ANTHROPIC = {
  pieces: [
    named('message_start', {
      message: {
        id: 'm',
        type: 'message',
        role: 'assistant',
        model: 'x',
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { input_tokens: 5, output_tokens: 1 },
      },
    }),
    named('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    named('ping', {}),
    anthropicText('Hello'),
    anthropicText(', Ann'),
  ],
  end: [
    named('content_block_stop', { index: 0 }),
    named('message_delta', { delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 3 } }),
    named('message_stop', {}),
  ],
};

const geminiText = (text: string, rest: object = {}) =>
  `data: ${JSON.stringify({ candidates: [{ content: { role: 'model', parts: [{ text }] }, index: 0, ...rest }], usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 3, totalTokenCount: 8 } })}\r\n\r\n`;
const GEMINI = { pieces: [geminiText('Hello'), geminiText(', Ann')], end: [geminiText('', { finishReason: 'STOP' })] };

const STREAMS = {
  openai: OPENAI,
  anthropic: ANTHROPIC,
  gemini: GEMINI,
  openaiCompatible: OPENAI,
} as const satisfies Record<SdkKind, { readonly pieces: readonly string[]; readonly end: readonly string[] }>;

const PLAIN = { capabilities: ['streaming'] } as const;

async function write(response: ServerResponse, texts: readonly string[]): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const text of texts) {
    response.write(text);
    await sleep(1);
  }
}

async function stream(
  kind: SdkKind,
  answer: (response: ServerResponse) => void,
  of: { readonly signal?: AbortSignal; readonly onDelta?: (delta: Delta) => void } = {},
) {
  await using upstream = await openUpstream(answer);
  const provider = await makeProvider(kind, upstream.url);
  const deltas: Delta[] = [];
  const call = callOf(kind, { model: modelNamed(MODEL_NAMES[kind], PLAIN) });
  const result = await provider.call(call, of.signal ?? new AbortController().signal, (delta) => {
    deltas.push(delta);
    of.onDelta?.(delta);
  });
  return { deltas, result, received: upstream.received };
}

describe.each(SDK_KINDS)('%s', (kind) => {
  const { pieces, end } = STREAMS[kind];

  test('tells its answer piece by piece, and the whole of it as without a stream', async () => {
    const { deltas, result } = await stream(kind, async (response) => {
      await write(response, [...pieces, ...end]);
      response.end();
    });
    expect(deltas).toEqual([
      { kind: 'text', text: 'Hello' },
      { kind: 'text', text: ', Ann' },
    ]);
    expect(result).toMatchObject({
      kind: 'answered',
      answer: {
        text: 'Hello, Ann',
        finishReason: 'stop',
        usage: { inputTokens: 5, outputTokens: 3, source: 'reported' },
      },
    });
  });

  test('cut off in the middle is charged for what was received, and is told as a fault of the network', async () => {
    const { deltas, result } = await stream(kind, async (response) => {
      await write(response, pieces);
      response.destroy();
    });
    expect(deltas).toHaveLength(2);
    expect(result).toMatchObject({ kind: 'cut', failure: { kind: 'networkError', billed: 'unknown' } });
    if (result.kind !== 'cut') throw new RangeError(result.kind);
    // Never less than its tokens: a byte is at least one.
    expect(result.usage).toMatchObject({ outputTokens: 10, source: 'counted' });
  });

  test('that ends without a word on why has not answered', async () => {
    const { result } = await stream(kind, async (response) => {
      await write(response, pieces);
      response.end();
    });
    expect(result).toMatchObject({ kind: 'cut', failure: { kind: 'invalidResponse' } });
  });

  test('is closed when the caller leaves in the middle', async () => {
    const leaving = new AbortController();
    const closed = Promise.withResolvers<void>();
    const { result } = await stream(
      kind,
      async (response) => {
        response.once('close', closed.resolve);
        await write(response, pieces);
      },
      { signal: leaving.signal, onDelta: () => leaving.abort(new AttemptAborted('cancelled')) },
    );
    await closed.promise;
    expect(result).toMatchObject({ kind: 'cut', failure: { kind: 'cancelled', billed: 'unknown' } });
  });

  test('refused before it begins fails as without a stream: nothing was received', async () => {
    const { deltas, result } = await stream(kind, (response) => {
      sendJson(response, { error: { message: 'slow down' } }, 429, { 'retry-after': '7' });
    });
    expect(deltas).toEqual([]);
    expect(result).toMatchObject({
      kind: 'failed',
      failure: { kind: 'throttled', httpStatus: 429, retryAfterMs: 7_000, billed: 'nothing' },
    });
  });
});

test.each(SDK_KINDS)('%s: attempts at once on one model each have a connection of their own', async (kind) => {
  const closed = Promise.withResolvers<void>();
  const open: ServerResponse[] = [];
  await using upstream = await openUpstream((response) => {
    response.once('close', closed.resolve);
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(STREAMS[kind].pieces.join(''));
    open.push(response);
  });
  const provider = await makeProvider(kind, upstream.url);
  const call = callOf(kind, { model: modelNamed(MODEL_NAMES[kind], PLAIN) });
  const leaving = new AbortController();
  const left = provider.call(call, leaving.signal, () => leaving.abort(new AttemptAborted('cancelled')));
  const kept = Array.from({ length: 4 }, () => provider.call(call, new AbortController().signal, () => undefined));
  expect(await left).toMatchObject({ failure: { kind: 'cancelled' } });
  await closed.promise;
  while (open.length < 1 + kept.length) await sleep(1);
  for (const response of open.filter(({ closed: isGone }) => !isGone)) response.end(STREAMS[kind].end.join(''));
  for (const result of await Promise.all(kept)) expect(result).toMatchObject({ answer: { text: 'Hello, Ann' } });
});

test('OpenAI is asked to say what a stream used', async () => {
  const { received } = await stream('openai', async (response) => {
    await write(response, [...OPENAI.pieces, ...OPENAI.end]);
    response.end();
  });
  expect(received[0]?.body).toMatchObject({ stream: true, stream_options: { include_usage: true } });
});

test('an error in the middle of a stream is the provider’s own', async () => {
  const { result } = await stream('anthropic', async (response) => {
    await write(response, [
      ...ANTHROPIC.pieces,
      named('error', { error: { type: 'overloaded_error', message: 'Overloaded' } }),
    ]);
    response.end();
  });
  expect(result).toMatchObject({
    kind: 'cut',
    failure: { kind: 'providerError', message: expect.stringContaining('Overloaded') },
  });
});

test.each([
  ['anthropic', 5],
  ['gemini', 5],
] as const)('%s: the input of a stream that breaks off is what was reported before', async (kind, inputTokens) => {
  const { result } = await stream(kind, async (response) => {
    await write(response, STREAMS[kind].pieces);
    response.destroy();
  });
  expect(result).toMatchObject({ kind: 'cut', usage: { inputTokens, source: 'counted' } });
});

test('a model that may have thought unseen is not counted by what was shown', async () => {
  await using upstream = await openUpstream(async (response) => {
    await write(response, OPENAI.pieces);
    response.destroy();
  });
  const provider = await makeProvider('openai', upstream.url);
  const call = callOf('openai', { model: modelNamed('gpt-5.1', { capabilities: ['streaming', 'reasoning'] }) });
  const result = await provider.call(call, new AbortController().signal, () => undefined);
  expect(result).toMatchObject({ kind: 'cut', usage: { outputTokens: 1_000, source: 'estimated' } });
});
