import { LLMock } from '@copilotkit/aimock';
import type { ChatCompletion, ChatCompletionChunk } from 'openai/resources/chat/completions';
import type { Model } from 'openai/resources/models';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OPENAI_ANSWERS } from '../support/openai-answers.ts';
import {
  chunkFaults,
  completionFaults,
  errorChunkFaults,
  errorFaults,
  makeOracle,
  modelListFaults,
} from '../support/openai-oracle.ts';

// The oracle is only worth what it refuses, and what it accepts must be OpenAI's: the bodies here are held against the types of
// OpenAI's package by the compiler, and those of a fake of OpenAI's API that this project did not write are accepted as they come.

const USAGE = { prompt_tokens: 19, completion_tokens: 10, total_tokens: 29 };
const CALL = { id: 'call_1', type: 'function', function: { name: 'now', arguments: '{}' } } as const;

const COMPLETION = {
  id: 'chatcmpl-B9MB',
  object: 'chat.completion',
  created: 1_741_569_952,
  model: 'gpt-5.1',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: null, refusal: null, tool_calls: [CALL], annotations: [] },
      logprobs: { content: [{ token: 'a', logprob: -0.1, bytes: [97], top_logprobs: [] }], refusal: null },
      finish_reason: 'tool_calls',
    },
  ],
  usage: {
    ...USAGE,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0, accepted_prediction_tokens: 0 },
  },
  service_tier: 'default',
} satisfies ChatCompletion;

const CHUNK = {
  id: 'chatcmpl-B9MB',
  object: 'chat.completion.chunk',
  created: 1_741_569_952,
  model: 'gpt-5.1',
  choices: [{ index: 0, delta: { role: 'assistant', content: '' }, logprobs: null, finish_reason: null }],
  usage: null,
} satisfies ChatCompletionChunk;

const LAST_CHUNK = { ...CHUNK, choices: [], usage: USAGE } satisfies ChatCompletionChunk;
const CALL_CHUNK = {
  ...CHUNK,
  choices: [{ index: 0, delta: { tool_calls: [{ index: 0, ...CALL }] }, finish_reason: 'tool_calls' }],
} satisfies ChatCompletionChunk;

const MODEL = { id: 'gpt-5.1', object: 'model', created: 1_741_569_952, owned_by: 'openai' } satisfies Model;
const ERROR = { message: 'no such model', type: 'invalid_request_error', param: null, code: 'model_not_found' };

const without = (body: object, key: string) =>
  Object.fromEntries(Object.entries(body).filter(([name]) => name !== key));
const inChoice = (body: { readonly choices: readonly object[] }, over: object) => ({
  ...body,
  choices: [{ ...body.choices[0], ...over }],
});

describe('what OpenAI sends is accepted', () => {
  test('a completion, chunks, an error, a list of models', () => {
    expect(completionFaults(COMPLETION)).toEqual([]);
    for (const chunk of [CHUNK, LAST_CHUNK, CALL_CHUNK]) expect(chunkFaults(chunk)).toEqual([]);
    expect(errorFaults({ error: ERROR })).toEqual([]);
    expect(modelListFaults({ object: 'list', data: [MODEL] })).toEqual([]);
  });

  test('with fields that it does not know', () => {
    expect(completionFaults({ ...COMPLETION, provider: 'openai', usage: { ...USAGE, cost: '0.01' } })).toEqual([]);
  });
});

describe('what OpenAI cannot have sent is refused', () => {
  test.each([
    ['a completion without choices', completionFaults(without(COMPLETION, 'choices')), 'choices'],
    ['a completion that is a chunk', completionFaults(CHUNK), '/object'],
    ['a reason that is none', completionFaults(inChoice(COMPLETION, { finish_reason: 'error' })), 'finish_reason'],
    [
      'a completion that has not ended',
      completionFaults(inChoice(COMPLETION, { finish_reason: null })),
      'finish_reason',
    ],
    [
      'usage without its sum',
      completionFaults({ ...COMPLETION, usage: without(USAGE, 'total_tokens') }),
      'total_tokens',
    ],
    ['tokens as text', completionFaults({ ...COMPLETION, usage: { ...USAGE, prompt_tokens: '19' } }), 'prompt_tokens'],
    ['a time with a fraction', completionFaults({ ...COMPLETION, created: 1.5 }), '/created'],
    ['a chunk without a delta', chunkFaults({ ...CHUNK, choices: [{ index: 0, finish_reason: null }] }), 'delta'],
    ['a chunk with an unknown reason', chunkFaults(inChoice(CHUNK, { finish_reason: 'error' })), 'finish_reason'],
    ['a piece of a call without its index', chunkFaults(inChoice(CHUNK, { delta: { tool_calls: [CALL] } })), 'index'],
    ['an error without a code', errorFaults({ error: without(ERROR, 'code') }), 'code'],
    ['an error without its envelope', errorFaults(ERROR), 'error'],
    ['models without their list', modelListFaults({ data: [MODEL] }), 'object'],
    ['a model without an owner', modelListFaults({ object: 'list', data: [without(MODEL, 'owned_by')] }), 'owned_by'],
  ])('%s', (_, faults, place) => {
    expect(faults.join('\n')).toContain(place);
  });
});

// OpenAI's document of late does not ask for these; the types that its clients are built on have them always.
describe('what clients count on is asked for by what we wrote down, whatever a published document says', () => {
  const ours = makeOracle(OPENAI_ANSWERS);

  test('a message says whether it is a refusal', () => {
    const body = inChoice(COMPLETION, { message: { role: 'assistant', content: '' } });
    expect(ours.completionFaults(body).join()).toContain('refusal');
  });

  test('a chunk says whether it goes on', () => {
    const body = { ...CHUNK, choices: [{ index: 0, delta: {} }] };
    expect(ours.chunkFaults(body).join()).toContain('finish_reason');
  });
});

test('the chunk of an error ends for the reason "error" and has the error beside its choices', () => {
  const chunk = { ...inChoice(CHUNK, { finish_reason: 'error' }), error: ERROR };
  expect(errorChunkFaults(chunk)).toEqual([]);
  expect(errorChunkFaults({ ...CHUNK, error: ERROR })).not.toEqual([]);
  expect(errorChunkFaults(without(chunk, 'error'))).not.toEqual([]);
  expect(errorChunkFaults(without(chunk, 'choices'))).not.toEqual([]);
});

test('the words of OpenAPI that are no JSON schema are understood in a published document', () => {
  const reason = { type: 'string', nullable: true, enum: ['stop'] };
  const open = { nullable: true, anyOf: [{ type: 'string' }, { type: 'null' }] };
  const chunk = {
    type: 'object',
    required: ['reason'],
    properties: { reason, open },
    discriminator: { propertyName: 'x' },
  };
  const schemas = {
    CreateChatCompletionStreamResponse: chunk,
    ...{ CreateChatCompletionResponse: {}, ErrorResponse: {}, ListModelsResponse: {} },
  };
  const oracle = makeOracle({ components: { schemas } });
  expect(oracle.chunkFaults({ reason: null, open: null })).toEqual([]);
  expect(oracle.chunkFaults({ reason: 'stop', open: 'a' })).toEqual([]);
  expect(oracle.chunkFaults({ reason: 'end' })).not.toEqual([]);
});

describe('a fake of OpenAI that others wrote is accepted', () => {
  const aimock = new LLMock({ port: 0, logLevel: 'silent' });
  beforeAll(async () => {
    aimock.onMessage('hello', { content: 'Hi there!' });
    aimock.onMessage('look', { toolCalls: [{ name: 'look', arguments: '{"at":"it"}' }] });
    aimock.onMessage('break', {
      error: { message: 'broken', type: 'server_error', code: 'server_error' },
      status: 500,
    });
    await aimock.start();
  });
  afterAll(() => aimock.stop());

  async function ask(content: string, over: object = {}): Promise<string> {
    const body = JSON.stringify({ model: 'gpt-5.1', messages: [{ role: 'user', content }], ...over });
    const headers = { 'content-type': 'application/json', authorization: 'Bearer test' };
    return (await fetch(`${aimock.url}/v1/chat/completions`, { method: 'POST', headers, body })).text();
  }

  test.each(['hello', 'look'])('%s, whole and as a stream', async (content) => {
    expect(completionFaults(JSON.parse(await ask(content)))).toEqual([]);
    const stream = await ask(content, { stream: true, stream_options: { include_usage: true } });
    const chunks = Array.from(stream.matchAll(/^data: (\{.*)$/gm), ([, json]) => JSON.parse(json!));
    expect(chunks.length).toBeGreaterThan(2);
    expect(chunks.flatMap(chunkFaults)).toEqual([]);
  });

  test('its errors too', async () => {
    const { error } = JSON.parse(await ask('break'));
    expect(errorFaults({ error: { param: null, ...error } })).toEqual([]);
  });
});
