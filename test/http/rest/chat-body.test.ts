import { expect, test } from 'vitest';
import type { RawChat } from '../../../src/core/raw-chat.ts';
import { parseChatBody } from '../../../src/http/rest/chat-body.ts';
import { makeFakeGateway } from '../../fakes/gateway.ts';
import { usd } from '../../fakes/gateway-data.ts';

const USER = { role: 'user', content: 'hi' };
const gateway = makeFakeGateway();

/** What the gateway is asked to check, as the door understood a body. */
function rawOf(body: object, headers: Record<string, string> = {}): Partial<RawChat> {
  let raw: RawChat = {};
  const parsed = parseChatBody({ messages: [USER], ...body }, headers, {
    parseChat(given) {
      raw = given;
      return gateway.parseChat({ prompt: 'hi' });
    },
  });
  expect(parsed.kind).toBe('valid');
  return JSON.parse(JSON.stringify(raw, (_name, value) => (typeof value === 'bigint' ? `${value} pico` : value)));
}

function issuesOf(body: object, headers: Record<string, string> = {}) {
  const parsed = parseChatBody({ messages: [USER], ...body }, headers, gateway);
  return parsed.kind === 'valid' ? [] : parsed.issues;
}

const call = { id: 'c1', type: 'function', function: { name: 'look', arguments: '{"at":1}' } };
const tool = { type: 'function', function: { name: 'look', description: 'looks', parameters: { type: 'object' } } };
const image = { type: 'image_url', image_url: { url: 'https://x.test/a.png', detail: 'low' } };

test.each<[what: string, body: object, raw: object, headers?: Record<string, string>]>([
  ['a model', { model: 'gpt-5.1' }, { model: 'gpt-5.1', fallbackModels: [] }],
  ['no model', {}, { fallbackModels: [] }],
  ['a model and fallbacks', { model: 'a', models: ['b', 'c'] }, { model: 'a', fallbackModels: ['b', 'c'] }],
  ['fallbacks alone', { models: ['b', 'c'] }, { model: 'b', fallbackModels: ['c'] }],
  ['a text', {}, { messages: [USER] }],
  [
    'parts',
    { messages: [{ role: 'user', content: [{ type: 'text', text: 'see' }, image] }] },
    { messages: [{ role: 'user', parts: [{ text: 'see' }, { imageUrl: 'https://x.test/a.png', detail: 'low' }] }] },
  ],
  [
    'all speakers',
    { messages: ['system', 'developer', 'user', 'assistant'].map((role) => ({ role, content: role, name: 'x' })) },
    { messages: ['system', 'developer', 'user', 'assistant'].map((role) => ({ role, content: role })) },
  ],
  [
    'an answer that called tools',
    { messages: [USER, { role: 'assistant', content: null, tool_calls: [call] }] },
    { messages: [USER, { role: 'assistant', toolCalls: [{ id: 'c1', name: 'look', arguments: '{"at":1}' }] }] },
  ],
  [
    'the result of a tool',
    { messages: [USER, { role: 'tool', content: 'far', tool_call_id: 'c1' }] },
    { messages: [USER, { role: 'tool', content: 'far', toolCallId: 'c1' }] },
  ],
  [
    'an answer that was declined',
    { messages: [USER, { role: 'assistant', content: null, refusal: 'No.' }] },
    { messages: [USER, { role: 'assistant', content: 'No.' }] },
  ],
  ['the old limit', { max_tokens: 5 }, { maxOutputTokens: 5 }],
  ['the new limit', { max_completion_tokens: 6 }, { maxOutputTokens: 6 }],
  ['both limits, equal', { max_tokens: 5, max_completion_tokens: 5 }, { maxOutputTokens: 5 }],
  ['sampling', { temperature: 0.5, top_p: 0.9, seed: 7 }, { temperature: 0.5, topP: 0.9, seed: 7 }],
  ['penalties', { presence_penalty: 1, frequency_penalty: -1 }, { presencePenalty: 1, frequencyPenalty: -1 }],
  ['one stop', { stop: 'END' }, { stop: ['END'] }],
  ['stops', { stop: ['a', 'b'] }, { stop: ['a', 'b'] }],
  ['an effort', { reasoning_effort: 'high' }, { reasoningEffort: 'high' }],
  ['one answer', { n: 1, store: true }, {}],
  ['tools', { tools: [tool], tool_choice: 'required' }, { tools: [tool.function], toolChoice: { mode: 'required' } }],
  [
    'one tool',
    { tools: [tool], tool_choice: { type: 'function', function: { name: 'look' } }, parallel_tool_calls: false },
    { toolChoice: { function: 'look' }, parallelToolCalls: false },
  ],
  ['a choice among no tools', { tool_choice: 'auto', tools: [] }, { toolChoice: null }],
  ['no choice among no tools', { tool_choice: 'none' }, { toolChoice: null }],
  ['JSON', { response_format: { type: 'json_object' } }, { responseFormat: { jsonObject: true } }],
  [
    'a schema',
    {
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'n', description: 'd', schema: { type: 'object' }, strict: true },
      },
    },
    { responseFormat: { jsonSchema: { name: 'n', description: 'd', schema: { type: 'object' }, strict: true } } },
  ],
  ['a payer and labels', { user: 'ann', metadata: { team: 'x' } }, { userId: 'ann', metadata: { team: 'x' } }],
  [
    'limits of ours',
    { max_cost_usd: 0.1, timeout_ms: 900, conversation_id: 'c' },
    { maxCostUsd: '100000000000 pico', timeoutMs: 900, conversationId: 'c' },
  ],
  ['money as a text', { max_cost_usd: '0.000000000001' }, { maxCostUsd: '1 pico' }],
  ['money as a small number', { max_cost_usd: 1e-7 }, { maxCostUsd: '100000 pico' }],
  [
    'wishes',
    {
      provider: {
        order: ['google'],
        only: ['openai'],
        ignore: ['google'],
        sort: 'throughput',
        max_price: { prompt: '1.5', completion: 2 },
        allow_fallbacks: false,
        require_parameters: true,
        preferred_max_latency: 1.5,
        max_attempts: 2,
        category: 'code',
        zdr: false,
        data_collection: 'allow',
        quantizations: [],
      },
    },
    {
      routing: {
        order: ['google'],
        only: ['openai'],
        ignore: ['google'],
        sort: 'throughput',
        maxPrice: { inputUsdPerMillion: '1500000000000 pico', outputUsdPerMillion: '2000000000000 pico' },
        allowFallbacks: false,
        requireParameters: true,
        maxLatencyMs: 1_500,
        maxAttempts: 2,
        category: 'code',
      },
    },
  ],
  ['no wishes', {}, { routing: { requireParameters: false } }],
  [
    'what there is no word for',
    { logit_bias: { 50: 1 }, verbosity: 'low', logprobs: true, top_logprobs: 2, greeting: null },
    { extras: { logit_bias: { 50: 1 }, verbosity: 'low', logprobs: true, top_logprobs: 2 } },
  ],
  ['a key', {}, { idempotencyKey: 'k' }, { 'idempotency-key': 'k' }],
  ['the patience of the client', {}, { timeoutMs: 2_500 }, { 'x-stainless-timeout': '2.5' }],
  ['more patience than is usual', {}, { timeoutMs: 60_000 }, { 'x-stainless-timeout': '600' }],
  ['a limit beside it', { timeout_ms: 90_000 }, { timeoutMs: 90_000 }, { 'x-stainless-timeout': '3' }],
])('%s is understood', (_what, body, raw, headers) => {
  expect(rawOf(body, headers)).toMatchObject(raw);
});

test('what was not said is not handed on', () => {
  const raw = rawOf({ stream: false, logprobs: false, temperature: null, response_format: { type: 'text' } });
  expect(rawOf({ stream: true }, { 'x-stainless-timeout': '2' }).timeoutMs).toBeUndefined();
  for (const field of ['tools', 'toolChoice', 'responseFormat', 'parallelToolCalls', 'timeoutMs'] as const) {
    expect(raw[field] ?? null).toBe(null);
  }
  expect(raw.extras).toEqual({});
});

test('a stream is asked for, with and without usage', () => {
  const asked = (body: object) => {
    const parsed = parseChatBody({ messages: [USER], ...body }, {}, gateway);
    if (parsed.kind !== 'valid') throw new Error('not valid');
    return [parsed.asked.isStreamed, parsed.asked.includesUsage];
  };
  expect(asked({})).toEqual([false, false]);
  expect(asked({ stream: true })).toEqual([true, false]);
  expect(asked({ stream: true, stream_options: { include_usage: true } })).toEqual([true, true]);
});

test.each<[param: string, body: object, message: RegExp, headers?: Record<string, string>]>([
  ['messages', { messages: undefined }, /is required/],
  ['messages', { messages: [] }, /is required: say what to ask/],
  ['messages', { messages: [{ role: 'system', content: 'x' }] }, /have the role user/],
  ['messages[0].role', { messages: [{ role: 'alien', content: 'x' }] }, /one of system, developer, user, assistant/],
  ['messages[0].content', { messages: [{ role: 'user', content: 5 }] }, /a text or a list of parts/],
  ['messages[0].content', { messages: [{ role: 'user', content: ' ' }] }, /must not be empty/],
  ['messages[0].content[0].type', { messages: [{ role: 'user', content: [{ type: 'file' }] }] }, /text or image_url/],
  [
    'messages[0].content[1].image_url.url',
    {
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a' },
            { ...image, image_url: { url: 'ftp:x' } },
          ],
        },
      ],
    },
    /https or a data:image URL/,
  ],
  [
    'messages[0].content[0].image_url.detail',
    {
      messages: [{ role: 'user', content: [{ ...image, image_url: { url: 'https://x.test/a.png', detail: 'max' } }] }],
    },
    /one of auto, low, high/,
  ],
  [
    'messages[1].content[0].image_url.url',
    { messages: [USER, { role: 'assistant', content: [image] }] },
    /only in messages of the role user/,
  ],
  ['tool_choice', { tool_choice: 'required' }, /no `tools`/],
  ['model', { model: 'nobody' }, /GET \/v1\/models lists names/],
  ['models[1]', { models: ['gpt-5.1', 'nobody'] }, /no model answers/],
  ['models[0]', { model: 'gpt-5.1', models: ['nobody'] }, /no model answers/],
  ['models[0]', { models: ['nobody'] }, /no model answers/],
  ['n', { n: 2 }, /must be 1/],
  ['max_tokens', { max_tokens: 1, max_completion_tokens: 2 }, /send one of them/],
  ['max_tokens', { max_tokens: 0 }, /from 1 to/],
  ['max_completion_tokens', { max_completion_tokens: 0.5 }, /from 1 to|whole number/],
  ['temperature', { temperature: 3 }, /from 0 to 2/],
  ['temperature', { temperature: 'hot' }, /must be a number/],
  ['top_p', { top_p: 2 }, /from 0 to 1/],
  ['stop[0]', { stop: '' }, /must not be empty/],
  ['stop', { stop: 5 }, /a text or a list of texts/],
  ['reasoning_effort', { reasoning_effort: 'xhigh' }, /one of minimal, low, medium, high/],
  ['logprobs', { logprobs: true, stream: true }, /not told in streams/],
  ['top_logprobs', { top_logprobs: 2, stream: true }, /not told in streams/],
  ['functions', { functions: [] }, /send tools/],
  ['audio', { audio: { voice: 'x' } }, /is not passed on/],
  ['tools[0].type', { tools: [{ type: 'custom' }] }, /must be function/],
  ['tools[0].function.name', { tools: [{ ...tool, function: { name: 'a b' } }] }, /letters, digits/],
  ['tools[0].function.parameters', { tools: [{ ...tool, function: { name: 'a', parameters: 5 } }] }, /JSON Schema/],
  ['tool_choice.function', { tools: [tool], tool_choice: { type: 'function', function: { name: 'x' } } }, /none of/],
  ['messages[1].tool_call_id', { messages: [USER, { role: 'tool', content: 'x', tool_call_id: 'c' }] }, /no earlier/],
  ['messages[0].tool_call_id', { messages: [{ ...USER, tool_call_id: 'c' }] }, /messages of the role tool/],
  ['messages[0].tool_calls', { messages: [{ ...USER, tool_calls: [call] }] }, /messages of the role assistant/],
  ['presence_penalty', { presence_penalty: 3 }, /from -2 to 2/],
  [
    'response_format.json_schema.schema',
    { response_format: { type: 'json_schema', json_schema: { name: 'n' } } },
    /Schema/,
  ],
  ['tool_choice', { tool_choice: 'sometimes' }, /must be auto, none, required/],
  ['response_format.type', { response_format: { type: 'grammar' } }, /text, json_object or json_schema/],
  ['user', { user: '' }, /must not be empty/],
  ['metadata.team', { metadata: { team: 5 } }, /must be a text/],
  ['max_cost_usd', { max_cost_usd: 0 }, /must be above 0/],
  ['max_cost_usd', { max_cost_usd: '1e3' }, /US dollars/],
  ['timeout_ms', { timeout_ms: 1 }, /from 100 to/],
  ['Idempotency-Key', {}, /printable ASCII/, { 'idempotency-key': '' }],
  ['provider.order[0]', { provider: { order: ['nobody'] } }, /no provider is called "nobody"/],
  ['provider.sort', { provider: { sort: 'luck' } }, /one of price/],
  ['provider.max_price.prompt', { provider: { max_price: { prompt: -1 } } }, /must be 0 or more/],
  ['provider.max_price.image', { provider: { max_price: { image: 1 } } }, /not known here/],
  ['provider.preferred_max_latency', { provider: { preferred_max_latency: 0 } }, /must be from/],
  ['provider.max_attempts', { provider: { max_attempts: 99 } }, /from 1 to 10/],
  ['provider.zdr', { provider: { zdr: true } }, /not offered here/],
  ['provider.data_collection', { provider: { data_collection: 'deny' } }, /not offered here/],
  ['provider.quantizations', { provider: { quantizations: ['fp8'] } }, /not offered here/],
  ['provider.preferred_min_throughput', { provider: { preferred_min_throughput: 5 } }, /not offered here/],
  ['provider.luck', { provider: { luck: true } }, /not known here/],
])('%s is refused by its name here', (param, body, message, headers) => {
  const [first] = issuesOf(body, headers);
  expect(first?.param).toBe(param);
  expect(first?.message).toMatch(message);
});

test('all problems are told, not only the first', () => {
  expect(
    issuesOf({ temperature: 3, model: 'nobody', n: 2, provider: { zdr: true } }).map(({ param }) => param),
  ).toEqual(['n', 'provider.zdr', 'model', 'temperature']);
  expect(issuesOf({ temperature: '3', stream: 'yes' }).map(({ param }) => param)).toEqual(['stream', 'temperature']);
});

test('prices and money lose nothing', () => {
  expect(rawOf({ max_cost_usd: '0.123456789012' })).toMatchObject({ maxCostUsd: `${usd('0.123456789012')} pico` });
});
