import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeProvider as makeArenaProvider } from '../../arena/support/registry.ts';
import { type Reaction, taggedPrompt } from '../../arena/support/upstream/reaction.ts';
import { startUpstream, type Upstream } from '../../arena/support/upstream/simulator.ts';
import { callOf, makeProvider, promptOfText, SDK_KINDS } from '../providers/upstream.ts';

const PROVIDERS = SDK_KINDS.map((kind) => makeArenaProvider(kind.toLowerCase(), { kind }));

let stack: AsyncDisposableStack;
let upstream: Upstream;

beforeEach(async () => {
  stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-bill-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  upstream = stack.use(await startUpstream({ providers: PROVIDERS, billPath: join(folder, 'bill.jsonl') }));
});

afterEach(() => stack.disposeAsync());

/** Calls the simulator as the service does. */
async function call(kind: (typeof SDK_KINDS)[number], tag: string, signal = new AbortController().signal) {
  const provider = await makeProvider(kind, `http://127.0.0.1:${upstream.port}/${kind.toLowerCase()}`);
  return provider.call(callOf(kind, { prompt: promptOfText(taggedPrompt(tag)), maxOutputTokens: 500 }), signal);
}

describe.each(SDK_KINDS)('the wire of %s', (kind) => {
  test('is answered with the usage that was billed, under the tag of the prompt', async () => {
    const result = await call(kind, 'a.1');
    const [entry, ...more] = upstream.bill.read();
    expect(more).toEqual([]);
    expect(entry).toMatchObject({ provider: kind.toLowerCase(), tag: 'a.1', number: 1 });
    expect(result).toMatchObject({
      kind: 'answered',
      answer: { usage: { inputTokens: entry?.inputTokens, outputTokens: entry?.outputTokens, source: 'reported' } },
    });
    const { inputTokens = 0, outputTokens = 0 } = entry ?? {};
    expect(entry?.amount).toBe(BigInt(inputTokens) * 2_000_000n + BigInt(outputTokens) * 8_000_000n);
  });

  test('streams, and bills each token as it goes out', async () => {
    upstream.reactWith(() => ({ kind: 'stream', streaming: { tokens: 5, everyMs: 1 } }));
    const texts: string[] = [];
    const provider = await makeProvider(kind, `http://127.0.0.1:${upstream.port}/${kind.toLowerCase()}`);
    const asked = callOf(kind, { prompt: promptOfText(taggedPrompt('s')), maxOutputTokens: 500 });
    const result = await provider.call(asked, new AbortController().signal, (delta) => {
      if (delta.kind === 'text') texts.push(delta.text);
    });
    expect(texts.join('')).toBe('0 1 2 3 4 ');
    expect(result).toMatchObject({ kind: 'answered', answer: { usage: { outputTokens: 5, source: 'reported' } } });
    expect(upstream.bill.read()).toMatchObject([{ tag: 's', outputTokens: 5 }]);
  });

  test('knows refusals: a 4xx is not billed, a 5xx is', async () => {
    upstream.reactWith(() => ({ kind: 'refuse', status: 429, headers: { 'retry-after': '7' } }));
    expect(await call(kind, 'b')).toMatchObject({ failure: { kind: 'throttled', retryAfterMs: 7_000 } });
    upstream.reactWith(() => ({ kind: 'refuse', status: 503 }));
    expect(await call(kind, 'c')).toMatchObject({ failure: { kind: 'providerError', httpStatus: 503 } });
    const [limited, failed] = upstream.bill.read();
    expect(limited?.amount).toBe(0n);
    expect(failed?.amount).toBeGreaterThan(0n);
  });
});

test('it bills on receipt: the entry is in the file before anything is answered', async () => {
  const gate = Promise.withResolvers<void>();
  upstream.reactWith(() => ({ kind: 'answer', after: gate.promise }));
  const running = call('openai', 'early');
  await upstream.whenReceived(1, 10_000);
  expect(upstream.bill.read()).toMatchObject([{ tag: 'early' }]);
  expect(upstream.openCount).toBe(1);
  gate.resolve();
  expect(await running).toMatchObject({ kind: 'answered' });
});

const BREAKS: readonly Reaction[] = [
  { kind: 'cut', place: 'beforeHeaders' },
  { kind: 'cut', place: 'inBody' },
];

test.each(BREAKS)('a connection that is cut has been billed all the same (%o)', async (reaction) => {
  upstream.reactWith(() => reaction);
  expect(await call('anthropic', 'cut')).toMatchObject({ kind: 'failed', failure: { kind: 'networkError' } });
  expect(upstream.bill.read()[0]?.amount).toBeGreaterThan(0n);
});

test('one that hangs is there until its caller leaves', async () => {
  upstream.reactWith(() => ({ kind: 'hang' }));
  const leaving = new AbortController();
  const running = call('gemini', 'hang', leaving.signal);
  await upstream.whenReceived(1, 10_000);
  leaving.abort();
  expect(await running).toMatchObject({ kind: 'failed', failure: { kind: 'cancelled' } });
});

test('waiting for requests that do not come ends', async () => {
  await expect(upstream.whenReceived(1, 1)).rejects.toThrow('0 of 1 requests received within 1 ms');
});
