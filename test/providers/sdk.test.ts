import { LLMock } from '@copilotkit/aimock';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AttemptAborted } from '../../src/core/failure.ts';
import type { ProviderResult } from '../../src/ports/provider.ts';
import type { SdkKind } from '../../src/providers/vendor.ts';
import { callOf, makeProvider, promptOfText, SDK_KINDS } from './upstream.ts';

const aimock = new LLMock({ port: 0, logLevel: 'silent' });
const usage = {
  ...{ prompt_tokens: 11, completion_tokens: 3, total_tokens: 14 },
  ...{ input_tokens: 11, output_tokens: 3 },
  ...{ promptTokenCount: 11, candidatesTokenCount: 3, totalTokenCount: 14 },
};

beforeAll(async () => {
  aimock.onMessage('hello', { content: 'Hi there!', usage });
  aimock.onMessage('too many', {
    error: { message: 'slow down', type: 'rate_limit_error' },
    status: 429,
    retryAfter: 7,
  });
  aimock.onMessage('break', { error: { message: 'it broke', type: 'server_error' }, status: 500 });
  aimock.onMessage('garble', { content: 'x' }, { chaos: { malformedRate: 1 } });
  aimock.onMessage('cut', { content: 'x' }, { chaos: { disconnectRate: 1 } });
  aimock.onMessage('late', { content: 'x' }, { chaos: { latencyMs: 30_000 } });
  await aimock.start();
});

afterAll(() => aimock.stop());

/** Asks once, and says how often the network was used for it. */
async function say(
  kind: SdkKind,
  text: string,
): Promise<{ readonly result: ProviderResult; readonly fetches: number }> {
  let fetches = 0;
  const provider = await makeProvider(kind, aimock.url, {
    fetch: (...args) => {
      fetches += 1;
      return fetch(...args);
    },
  });
  const result = await provider.call(callOf(kind, { prompt: promptOfText(text) }), new AbortController().signal);
  return { result, fetches };
}

const FAULTS = [
  {
    fault: 'too many',
    failure: {
      kind: 'throttled',
      message: 'HTTP 429: slow down',
      httpStatus: 429,
      retryAfterMs: 7_000,
      billed: 'nothing',
    },
  },
  {
    fault: 'break',
    failure: {
      kind: 'providerError',
      message: 'HTTP 500: it broke',
      httpStatus: 500,
      retryAfterMs: null,
      billed: 'unknown',
    },
  },
  {
    fault: 'garble',
    failure: {
      kind: 'invalidResponse',
      message: 'HTTP 200, but the answer is not JSON.',
      httpStatus: 200,
      retryAfterMs: null,
      billed: 'unknown',
    },
  },
  {
    fault: 'cut',
    failure: {
      kind: 'networkError',
      message: expect.stringMatching(/^The connection broke: /),
      httpStatus: null,
      retryAfterMs: null,
      billed: 'unknown',
    },
  },
] as const;

describe.each(SDK_KINDS)('%s', (kind) => {
  test('an answer comes back whole, with its counts', async () => {
    const { result, fetches } = await say(kind, 'hello');
    expect(fetches).toBe(1);
    expect(result).toEqual({
      kind: 'answered',
      answer: {
        text: 'Hi there!',
        refusal: null,
        toolCalls: [],
        logprobs: null,
        finishReason: 'stop',
        usage: { inputTokens: 11, cachedInputTokens: 0, outputTokens: 3, reasoningTokens: 0, source: 'reported' },
        warnings: [],
      },
    });
  });

  test.each(FAULTS)('$fault: is named once, and tried once', async ({ fault, failure }) => {
    const { result, fetches } = await say(kind, fault);
    expect(result).toEqual({ kind: 'failed', failure: { ...failure, isSimulated: false } });
    expect(fetches).toBe(1);
  });

  test('our time limit ends a late answer as timedOut', async () => {
    const controller = new AbortController();
    const provider = await makeProvider(kind, aimock.url, {
      fetch: (...args) => {
        const response = fetch(...args);
        controller.abort(new AttemptAborted('timedOut'));
        return response;
      },
    });
    const result = await provider.call(callOf(kind, { prompt: promptOfText('late') }), controller.signal);
    expect(result).toMatchObject({ kind: 'failed', failure: { kind: 'timedOut', billed: 'unknown' } });
  });
});
