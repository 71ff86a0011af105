import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, generateText, jsonSchema, Output, RetryError, streamText, type ToolSet, tool } from 'ai';
import OpenAI, { APIError } from 'openai';
import { describe, expect, test } from 'vitest';
import type { Delta } from '../../../src/core/delta.ts';
import type { Unanswered } from '../../../src/core/outcome.ts';
import type { ChatCall, StreamCall } from '../../../src/gateway/gateway.ts';
import type { StreamEvent } from '../../../src/gateway/stream-log.ts';
import { answered, COST, DECISION, endingsAt, TIMING } from '../../fakes/gateway-data.ts';
import { type Service, startService } from '../running-server.ts';
import { failed, play, started, text } from './stream-kit.ts';

// Clients as they come from npm, which know nothing of this service but its address.

const USER = { role: 'user', content: 'hi' } as const;
const WEATHER = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } as const;
const CALL = { id: 'c1', name: 'weather', arguments: '{"city":"Oslo"}' };

function openaiAt({ url }: Service): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none' });
}

function sdkAt({ url }: Service) {
  const provider = createOpenAICompatible({ name: 'switchyard', baseURL: `${url}/v1`, includeUsage: true });
  return provider('gpt-5.1');
}

/** The chats that come in, each answered by `next`. */
function answerBy(service: Service, next: (call: ChatCall, count: number) => ReturnType<typeof answered> | Unanswered) {
  const calls: ChatCall[] = [];
  service.gateway.onChat = (call) => {
    calls.push(call);
    const outcome = next(call, calls.length);
    if (outcome.kind === 'answered') return outcome;
    const { requestId } = call;
    return { kind: 'ended', requestId, why: outcome, routing: DECISION, cost: COST, timing: TIMING };
  };
  return calls;
}

function finished(service: Service, call: StreamCall, toolCalls: readonly (typeof CALL)[] = []): StreamEvent {
  const outcome = answered({ ...call, onDelta: null }, service.gateway.now());
  const finishReason = toolCalls.length > 0 ? 'toolCalls' : 'stop';
  return { kind: 'ended', outcome: { ...outcome, answer: { ...outcome.answer, toolCalls, finishReason } } };
}

function deltas(...all: readonly Delta[]): readonly StreamEvent[] {
  return all.map((delta) => ({ kind: 'delta', delta }));
}

const CALL_IN_PIECES = deltas(
  { kind: 'reasoning', text: 'hm' },
  { kind: 'toolCall', index: 0, id: CALL.id, name: CALL.name, argumentsChunk: null },
  { kind: 'toolCall', index: 0, id: null, name: null, argumentsChunk: '{"city":' },
  { kind: 'toolCall', index: 0, id: null, name: null, argumentsChunk: '"Oslo"}' },
);

function withCall(service: Service, call: ChatCall) {
  const outcome = answered(call, service.gateway.now());
  const answer = { ...outcome.answer, text: null, toolCalls: [CALL], finishReason: 'toolCalls' } as const;
  return { ...outcome, answer };
}

describe('the openai client', () => {
  test('is answered, with the id of the request and its cost', async () => {
    await using service = await startService();
    const answer = await openaiAt(service).chat.completions.create({ model: 'auto', messages: [USER], user: 'ann' });
    expect(answer.choices[0]?.message.content).toBe('echo: hi');
    expect(answer._request_id).toBe(answer.id);
    expect(answer.usage).toMatchObject({ total_tokens: 15, cost: 0.0123 });
    expect(service.gateway.records).toMatchObject([{ door: 'rest', userId: 'ann', modelRequested: 'auto' }]);
  });

  test('streams, by itself and with its helper', async () => {
    await using service = await startService();
    play(service, (call) => [started(call), text('Hel'), text('lo'), finished(service, call)]);
    const asked = { model: 'gpt-5.1', messages: [USER], stream_options: { include_usage: true } };
    let told = '';
    let cost: unknown;
    for await (const chunk of await openaiAt(service).chat.completions.create({ ...asked, stream: true })) {
      told += chunk.choices[0]?.delta.content ?? '';
      if (chunk.usage) ({ cost } = chunk.usage as unknown as { cost: number });
    }
    expect([told, cost]).toEqual(['Hello', 0.0123]);
    const whole = await openaiAt(service).chat.completions.stream(asked).finalChatCompletion();
    expect(whole.choices[0]).toMatchObject({ message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' });
    expect(whole.usage?.total_tokens).toBe(15);
  });

  test('calls tools, whole and in pieces, and tells their results', async () => {
    await using service = await startService();
    const calls = answerBy(service, (call) => withCall(service, call));
    play(service, (call) => [started(call), ...CALL_IN_PIECES, finished(service, call, [CALL])]);
    const client = openaiAt(service);
    const tools = [{ type: 'function' as const, function: { name: 'weather', parameters: WEATHER } }];
    const asked = { model: 'gpt-5.1', messages: [USER], tools, tool_choice: 'required' as const };
    const whole = await client.chat.completions.create(asked);
    const wanted = { id: 'c1', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } };
    expect(whole.choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: { content: null, tool_calls: [wanted] },
    });
    const pieced = await client.chat.completions.stream(asked).finalChatCompletion();
    expect(pieced.choices[0]?.message.tool_calls).toMatchObject([wanted]);

    const result = { role: 'tool', tool_call_id: 'c1', content: '-3' } as const;
    await client.chat.completions.create({ ...asked, messages: [USER, whole.choices[0]!.message, result] });
    expect(calls[1]?.request.prompt.messages).toMatchObject([
      { role: 'user' },
      { role: 'assistant', toolCalls: [CALL] },
      { role: 'tool', toolCallId: 'c1', parts: [{ text: '-3' }] },
    ]);
  });

  test('lists models', async () => {
    await using service = await startService();
    const names: string[] = [];
    for await (const model of openaiAt(service).models.list()) names.push(model.id);
    expect(names).toEqual(['auto', 'gpt-5.1', 'gemini-pro']);
    expect((await openaiAt(service).models.retrieve('smart')).owned_by).toBe('openai');
  });

  test('asks once when the money is used up', async () => {
    await using service = await startService();
    const poor = { ...endingsAt(service.gateway.now()).budgetExceeded, isRetryable: false, retryAfterMs: null };
    const calls = answerBy(service, () => poor);
    const error = await openaiAt(service)
      .chat.completions.create({ model: 'auto', messages: [USER] })
      .catch(asError);
    expect(error).toMatchObject({ status: 402, code: 'budget_exceeded', type: 'insufficient_quota', param: null });
    expect(calls).toHaveLength(1);
  });

  test('asks once when its request is wrong, and is told which field', async () => {
    await using service = await startService();
    const create = openaiAt(service).chat.completions.create({ model: 'nobody', messages: [USER] });
    expect(await create.catch(asError)).toMatchObject({ status: 400, code: 'invalid_input', param: 'model' });
    expect(service.log.filter(({ msg }) => msg === 'operation')).toHaveLength(1);
  });

  test.each(['budgetExceeded', 'rateLimited', 'noProviderAvailable', 'allProvidersFailed', 'timedOut'] as const)(
    'asks again when waiting helps: %s',
    async (kind) => {
      await using service = await startService();
      const why = { ...endingsAt(service.gateway.now())[kind], retryAfterMs: 5 };
      const calls = answerBy(service, (call, count) => (count === 1 ? why : answered(call, service.gateway.now())));
      const answer = await openaiAt(service).chat.completions.create({ model: 'auto', messages: [USER] });
      expect(answer.choices[0]?.message.content).toBe('echo: hi');
      expect(calls).toHaveLength(2);
      expect(service.log.filter(({ clientRetry }) => clientRetry === 1)).toHaveLength(1);
    },
  );

  test('sees a stream that breaks off as a failure', async () => {
    await using service = await startService();
    play(service, (call) => [started(call), text('Hel'), failed(service, call, 'allProvidersFailed')]);
    const asked = { model: 'auto', messages: [USER] };
    const pieces = await openaiAt(service).chat.completions.create({ ...asked, stream: true });
    let told = '';
    const error = await (async () => {
      for await (const chunk of pieces) told += chunk.choices[0]?.delta.content ?? '';
    })().catch(asError);
    expect(told).toBe('Hel');
    expect(error).toBeInstanceOf(APIError);
    expect(error).toMatchObject({ code: 'all_providers_failed' });
    await expect(openaiAt(service).chat.completions.stream(asked).finalChatCompletion()).rejects.toBeInstanceOf(
      APIError,
    );
  });

  test('is waited for as long as it waits', async () => {
    await using service = await startService();
    const calls = answerBy(service, (call) => answered(call, service.gateway.now()));
    await openaiAt(service).chat.completions.create({ model: 'auto', messages: [USER] }, { timeout: 7_000 });
    expect(calls[0]?.request.timeoutMs).toBe(7_000);
  });
});

describe("the AI SDK's client", () => {
  test('is answered', async () => {
    await using service = await startService();
    const answer = await generateText({ model: sdkAt(service), prompt: 'hi' });
    expect(answer.text).toBe('echo: hi');
    expect(answer.usage).toMatchObject({ inputTokens: 10, outputTokens: 5 });
  });

  test('streams, thinking included', async () => {
    await using service = await startService();
    play(service, (call) => [
      started(call),
      ...deltas({ kind: 'reasoning', text: 'hm' }, { kind: 'text', text: 'Hel' }, { kind: 'text', text: 'lo' }),
      finished(service, call),
    ]);
    const answer = streamText({ model: sdkAt(service), prompt: 'hi' });
    expect(await answer.text).toBe('Hello');
    expect(await answer.reasoningText).toBe('hm');
    expect(await answer.usage).toMatchObject({ totalTokens: 15 });
  });

  test('calls tools, whole and in pieces', async () => {
    await using service = await startService();
    answerBy(service, (call) => withCall(service, call));
    play(service, (call) => [started(call), ...CALL_IN_PIECES, finished(service, call, [CALL])]);
    const asked = {
      model: sdkAt(service),
      prompt: 'hi',
      // Its own types do not fit together under exactOptionalPropertyTypes.
      tools: { weather: tool({ inputSchema: jsonSchema<{ city: string }>(WEATHER) }) } as unknown as ToolSet,
    };
    const wanted = [{ toolCallId: 'c1', toolName: 'weather', input: { city: 'Oslo' } }];
    expect((await generateText(asked)).toolCalls).toMatchObject(wanted);
    expect(await streamText(asked).toolCalls).toMatchObject(wanted);
  });

  test('asks for an object by its schema', async () => {
    await using service = await startService();
    const calls = answerBy(service, (call) => {
      const outcome = answered(call, service.gateway.now());
      return { ...outcome, answer: { ...outcome.answer, text: '{"city":"Oslo"}' } };
    });
    const provider = createOpenAICompatible({
      name: 'switchyard',
      baseURL: `${service.url}/v1`,
      supportsStructuredOutputs: true,
    });
    const { output } = await generateText({
      model: provider('gpt-5.1'),
      prompt: 'hi',
      output: Output.object({ schema: jsonSchema<{ city: string }>(WEATHER) }),
    });
    expect(output).toEqual({ city: 'Oslo' });
    expect(calls[0]?.request.prompt.responseFormat).toMatchObject({ kind: 'jsonSchema', schema: { type: 'object' } });
  });

  test('asks once when the money is used up, and again when waiting helps', async () => {
    await using service = await startService();
    const endings = endingsAt(service.gateway.now());
    const poor = answerBy(service, () => ({ ...endings.budgetExceeded, isRetryable: false, retryAfterMs: null }));
    const error = await generateText({ model: sdkAt(service), prompt: 'hi' }).catch(asError);
    expect(APICallError.isInstance(error) && [error.statusCode, error.message]).toEqual([402, 'what happened']);
    expect(poor).toHaveLength(1);

    const busy = { ...endings.rateLimited, retryAfterMs: 5 };
    const calls = answerBy(service, (call, count) => (count === 1 ? busy : answered(call, service.gateway.now())));
    expect((await generateText({ model: sdkAt(service), prompt: 'hi' })).text).toBe('echo: hi');
    expect(calls).toHaveLength(2);
  });

  test('sees a stream that breaks off as a failure', async () => {
    await using service = await startService();
    play(service, (call) => [started(call), text('Hel'), failed(service, call, 'allProvidersFailed')]);
    const errors: unknown[] = [];
    const answer = streamText({ model: sdkAt(service), prompt: 'hi', onError: ({ error }) => void errors.push(error) });
    let told = '';
    let end: unknown;
    for await (const part of answer.stream) {
      if (part.type === 'text-delta') told += part.text;
      if (part.type === 'error') end = part.error;
    }
    expect(told).toBe('Hel');
    expect(JSON.stringify(end)).toContain('what happened');
    expect(errors).toHaveLength(1);
  });
});

function asError(error: unknown): unknown {
  return RetryError.isInstance(error) ? error.lastError : error;
}
