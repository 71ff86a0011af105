import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AttemptAborted } from '../../src/core/failure.ts';
import { providerKey } from '../../src/core/ids.ts';
import { costOfTokens } from '../../src/core/money.ts';
import type { Prompt } from '../../src/core/prompt.ts';
import { costOfUsage } from '../../src/core/usage.ts';
import type { Chance } from '../../src/ports/clock.ts';
import type { ProviderResult } from '../../src/ports/provider.ts';
import { type MockSettings, makeMock } from '../../src/providers/mock.ts';
import { makePythonRandom } from '../../src/providers/python-random.ts';
import { makeFakeClock } from '../fakes/clock.ts';
import { modelNamed, promptOfText } from './upstream.ts';

const NEVER = new AbortController().signal;
const LUCKY: Chance = { next: () => 0.5 };
const UNLUCKY: Chance = { next: () => 0.05 };
const model = modelNamed('gpt-5.1');

function mockWith(over: Partial<MockSettings> = {}) {
  const clock = makeFakeClock();
  const settings = { key: providerKey('openai'), chance: LUCKY, failureRate: 0.1, latencyScale: 0, clock, ...over };
  return { clock, mock: makeMock(settings) };
}

function ask(mock: ReturnType<typeof makeMock>, prompt: Prompt, maxOutputTokens = 1_000): Promise<ProviderResult> {
  return mock.call({ model, prompt, maxOutputTokens }, NEVER);
}

function answerIn(result: ProviderResult) {
  if (result.kind !== 'answered') throw new Error(result.failure.message);
  return result.answer;
}

describe('a mock that is asked for more than the seed was', () => {
  const tools = [{ name: 'weather', description: null, parameters: null, isStrict: null }];

  test.each([
    [{ kind: 'required' } as const, 1],
    [{ kind: 'function', name: 'weather' } as const, 1],
    [{ kind: 'auto' } as const, 0],
    [{ kind: 'none' } as const, 0],
    [null, 0],
  ])('calls a tool where it must: %o', async (choice, count) => {
    const { mock } = mockWith();
    const answer = answerIn(await ask(mock, promptOfText('hi', { tools: { tools, choice, isParallel: null } })));
    expect(answer.toolCalls).toEqual(count === 0 ? [] : [{ id: 'call_weather', name: 'weather', arguments: '{}' }]);
    expect(answer).toMatchObject(
      count === 0 ? { finishReason: 'stop' } : { text: null, finishReason: 'toolCalls', usage: { outputTokens: 1 } },
    );
  });

  test('says what its model would not have been sent', async () => {
    const { mock } = mockWith();
    const prompt = promptOfText('hi', { seed: 7, temperature: 1, extras: { top_k: 3 } });
    const told = async (over: object) => {
      const call = { model: modelNamed('gpt-5.1', over), prompt, maxOutputTokens: 100 };
      return answerIn(await mock.call(call, NEVER)).warnings;
    };
    expect(await told({ unsupportedParameters: ['seed'] })).toEqual([
      'seed was not sent: gpt-5.1 does not support it.',
      'top_k was not sent: Switchyard does not pass it on to openai.',
    ]);
  });

  test('answers in JSON, and says that it follows no schema', async () => {
    const { mock } = mockWith();
    const format = { kind: 'jsonSchema', name: 'a', description: null, schema: {}, isStrict: true } as const;
    const answer = answerIn(await ask(mock, promptOfText('hi', { responseFormat: format })));
    expect(JSON.parse(answer.text!)).toEqual({ response: 'Mock response from openai: hi...' });
    expect(answer.warnings).toEqual(['A mock answers in JSON, and follows no schema.']);
  });
});

describe('the mock answers as the seed did', () => {
  test('the answer names the provider and repeats the first 50 characters of the newest user message', async () => {
    const { mock } = mockWith();
    const prompt: Prompt = {
      ...promptOfText(''),
      messages: [
        { role: 'system', parts: [{ kind: 'text', text: 'be kind' }] },
        { role: 'user', parts: [{ kind: 'text', text: `${'a'.repeat(49)}bc` }] },
        { role: 'assistant', parts: [{ kind: 'text', text: 'go on' }], toolCalls: null },
      ],
    };
    expect(answerIn(await ask(mock, prompt)).text).toBe(`Mock response from openai: ${'a'.repeat(49)}b...`);
  });

  test('characters are code points, as Python slices', async () => {
    const { mock } = mockWith();
    const answer = answerIn(await ask(mock, promptOfText('😀'.repeat(60))));
    expect(answer.text).toBe(`Mock response from openai: ${'😀'.repeat(50)}...`);
    expect(answer.usage.inputTokens).toBe(15);
    expect(answer.usage.outputTokens).toBe(20);
  });

  test('tokens are a quarter of the characters of all messages, rounded up', async () => {
    const { mock } = mockWith();
    const answer = answerIn(await ask(mock, promptOfText('hello')));
    expect(answer).toEqual({
      text: 'Mock response from openai: hello...',
      refusal: null,
      toolCalls: [],
      logprobs: null,
      finishReason: 'stop',
      usage: { inputTokens: 2, cachedInputTokens: 0, outputTokens: 9, reasoningTokens: 0, source: 'reported' },
      warnings: [],
    });
  });

  test('an output limit below the answer cuts it and says so', async () => {
    const { mock } = mockWith();
    const answer = answerIn(await ask(mock, promptOfText('hello'), 3));
    expect(answer.text).toBe('Mock respons');
    expect(answer.finishReason).toBe('length');
    expect(answer.usage.outputTokens).toBe(3);
  });

  test('a mock never charges more than its bound', () => {
    const { mock } = mockWith();
    const texts = fc.array(fc.string({ unit: 'binary', maxLength: 80 }), { minLength: 1, maxLength: 4 });
    const property = fc.asyncProperty(texts, fc.integer({ min: 1, max: 60 }), async (parts, maxOutputTokens) => {
      const prompt: Prompt = {
        ...promptOfText(''),
        messages: parts.map((text) => ({ role: 'user', parts: [{ kind: 'text', text }] })),
      };
      const { usage } = answerIn(await ask(mock, prompt, maxOutputTokens));
      const bound = mock.inputTokensMax(prompt, model);
      expect(usage.inputTokens).toBeLessThanOrEqual(bound);
      expect(usage.outputTokens).toBeLessThanOrEqual(maxOutputTokens);
      const held = costOfTokens(bound + maxOutputTokens, model.price.input);
      expect(costOfUsage(usage, model.price).total).toBeLessThanOrEqual(held);
    });
    return fc.assert(property, { numRuns: 2_000 });
  });
});

describe('the mock fails by the shared chance', () => {
  test('a draw below the rate fails as a provider error that bills nothing', async () => {
    const { mock } = mockWith({ chance: UNLUCKY });
    expect(await ask(mock, promptOfText('hello'))).toEqual({
      kind: 'failed',
      failure: {
        kind: 'providerError',
        message: 'HTTP 500: the mock of openai failed by chance.',
        httpStatus: 500,
        retryAfterMs: null,
        billed: 'nothing',
        isSimulated: false,
      },
    });
  });

  test('two mocks on one generator fail at the draws of the seed', async () => {
    const chance = makePythonRandom(42n);
    const mocks = ['openai', 'google'].map((key) => mockWith({ key: providerKey(key), chance }).mock);
    const failed: number[] = [];
    for (let attempt = 1; attempt <= 50; attempt += 1) {
      const result = await ask(mocks[attempt % 2]!, promptOfText('hello'));
      if (result.kind !== 'answered') failed.push(attempt);
    }
    expect(failed).toEqual([2, 8, 10, 13, 20, 27, 28, 42, 45]);
  });

  test('the draw is taken when the attempt starts, so a slow attempt cannot take the draw of a later one', async () => {
    const { mock, clock } = mockWith({ chance: makePythonRandom(42n), latencyScale: 1 });
    const pending = [1, 2, 3].map(() => ask(mock, promptOfText('hello')));
    clock.advance(200);
    expect((await Promise.all(pending)).map((result) => result.kind)).toEqual(['answered', 'failed', 'answered']);
  });
});

describe('the mock keeps time and lets go', () => {
  test('an answer takes the typical latency times the scale', async () => {
    const { mock, clock } = mockWith({ latencyScale: 0.5 });
    let isDone = false;
    const pending = ask(mock, promptOfText('hello')).then(() => {
      isDone = true;
    });
    clock.advance(99);
    await Promise.resolve();
    expect(isDone).toBe(false);
    clock.advance(1);
    await pending;
    expect(clock.elapsedMs()).toBe(100);
  });

  test.each([
    ['timedOut', 'timedOut'],
    ['cancelled', 'cancelled'],
  ] as const)('an attempt aborted as %s ends at once as %s and leaves no timer', async (cause, kind) => {
    const { mock, clock } = mockWith({ latencyScale: 1 });
    const controller = new AbortController();
    const pending = mock.call({ model, prompt: promptOfText('hello'), maxOutputTokens: 9 }, controller.signal);
    expect(clock.timerCount()).toBe(1);
    controller.abort(new AttemptAborted(cause));
    expect(await pending).toMatchObject({ kind: 'failed', failure: { kind, billed: 'nothing', isSimulated: false } });
    expect(clock.timerCount()).toBe(0);
  });

  test('an answered attempt leaves nothing on its signal', async () => {
    const { mock, clock } = mockWith({ latencyScale: 1 });
    const { signal } = new AbortController();
    const pending = mock.call({ model, prompt: promptOfText('hello'), maxOutputTokens: 9 }, signal);
    clock.advance(200);
    await pending;
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(clock.timerCount()).toBe(0);
  });

  test('an attempt that is over before it starts still takes its draw', async () => {
    const draws: number[] = [];
    const chance: Chance = { next: () => draws.push(1) };
    const { mock } = mockWith({ chance });
    const over = AbortSignal.abort(new AttemptAborted('cancelled'));
    const result = await mock.call({ model, prompt: promptOfText('hello'), maxOutputTokens: 9 }, over);
    expect(result).toMatchObject({ kind: 'failed', failure: { kind: 'cancelled' } });
    expect(draws).toHaveLength(1);
  });
});
