import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import type { SdkKind } from '../../src/providers/vendor.ts';
import { makeListener, SAVED_STREAMS } from './stream-corpus.ts';
import { callOf, MODEL_NAMES, makeProvider, modelNamed, openUpstream, SDK_KINDS } from './upstream.ts';

const TEXTS = {
  openai: 'openai-text',
  anthropic: 'anthropic-text',
  gemini: 'gemini-text',
  openaiCompatible: 'compatible-crlf',
} as const satisfies Record<SdkKind, string>;

function savedOf(kind: SdkKind) {
  return SAVED_STREAMS.find(({ name }) => name === TEXTS[kind])!;
}

/** A stream up to the frame with the first word of its answer. */
function beginningOf(kind: SdkKind): string {
  const { bytes, expected } = savedOf(kind);
  const frames = Buffer.from(bytes)
    .toString()
    .split(/\r?\n\r?\n/);
  const first = frames.findIndex((frame) => frame.includes(expected.text!.split(' ')[0]!));
  return frames.slice(0, first + 1).join('\n\n');
}

const plainError = (message: string) =>
  `data: ${JSON.stringify({ error: { message, type: 'server_error', code: null } })}\n\n`;

/** How each vendor breaks off a stream that it has begun. */
const ERROR_FRAMES = {
  openai: plainError,
  anthropic: (message: string) =>
    `event: error\ndata: ${JSON.stringify({ type: 'error', error: { type: 'overloaded_error', message } })}\n\n`,
  gemini: (message: string) =>
    `data: ${JSON.stringify({ error: { code: 503, message, status: 'UNAVAILABLE' } })}\r\n\r\n`,
  openaiCompatible: plainError,
} as const satisfies Record<SdkKind, (message: string) => string>;

describe.each(SDK_KINDS)('%s', (kind) => {
  // The packages give a stream back by waiting for its next piece, or read on to its end: with a provider that stays silent the
  // attempt would hang until its time limit, and the connection for ever.
  test.each([
    ['before the first piece', 'failed'],
    ['after a piece', 'cut'],
  ] as const)('tells of an error %s and stays silent: the attempt ends, and its connection', async (place, end) => {
    const responding = Promise.withResolvers<ServerResponse>();
    await using upstream = await openUpstream((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const begun = place === 'after a piece' ? `${beginningOf(kind)}\n\n` : '';
      response.write(begun + ERROR_FRAMES[kind]('Overloaded'));
      responding.resolve(response);
    });
    const provider = await makeProvider(kind, upstream.url);
    const call = callOf(kind, { model: modelNamed(MODEL_NAMES[kind], { capabilities: ['streaming'] }) });
    const result = provider.call(call, new AbortController().signal, () => undefined);
    const response = await responding.promise;
    if (!response.closed) await once(response, 'close');
    expect(await result).toMatchObject({
      kind: end,
      failure: { kind: 'providerError', billed: 'unknown', message: expect.stringContaining('Overloaded') },
    });
  });

  // A package's own message repeats what it could not read, and the log would keep it.
  test('a piece that is not JSON is nonsense, and what stands in it is not quoted', async () => {
    const listener = await makeListener({ kind, capabilities: ['streaming'] });
    const bytes = Buffer.from(`data: {"the secret": "of the prompt"\n\n${beginningOf(kind)}`);
    const { result } = await listener.hear({ pieces: [bytes], ending: 'closed' });
    expect(result).toMatchObject({ kind: 'failed', failure: { kind: 'invalidResponse', httpStatus: 200 } });
    expect(JSON.stringify(result)).not.toContain('secret');
  });

  test.each([
    ['nothing', ''],
    ['a whole answer that is no stream', '{"choices":[{"message":{"role":"assistant","content":"ok"}}]}'],
    ['a deep nest', `data: ${'['.repeat(200_000)}\n\n`],
    ['a line without an end', `data: ${'x'.repeat(2_000_000)}`],
    ['only what keeps a connection alive', ': ping\n\n'.repeat(5_000)],
  ])('%s is no answer', async (_, text) => {
    const listener = await makeListener({ kind, capabilities: ['streaming'] });
    const { result } = await listener.hear({ pieces: [Buffer.from(text)], ending: 'closed' });
    expect(result).toMatchObject({ kind: 'failed', failure: { kind: 'invalidResponse', billed: 'unknown' } });
  });
});
