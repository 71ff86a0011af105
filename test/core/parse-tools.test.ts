import { describe, expect, test } from 'vitest';
import { fingerprintOf } from '../../src/core/fingerprint.ts';
import { parseChat } from '../../src/core/parse-chat.ts';
import type { RawChat, RawMessage, RawTool } from '../../src/core/raw-chat.ts';
import { makeModel, makeProvider, makeRegistry } from '../support/registries.ts';

const REGISTRY = makeRegistry(makeProvider('openai', [makeModel('gpt-5.1', '20')]));
const WEATHER: RawTool = { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } };
const CALL = { id: 'call_1', name: 'weather', arguments: '{"city":"Oslo"}' };
const QUESTION: RawMessage = { role: 'user', content: 'How warm is it in Oslo?' };
const CALLED: RawMessage = { role: 'assistant', toolCalls: [CALL] };
const RESULT: RawMessage = { role: 'tool', content: '-3', toolCallId: 'call_1' };

function parse(raw: RawChat) {
  const parsed = parseChat(raw, REGISTRY);
  if (parsed.kind !== 'valid') throw new RangeError(JSON.stringify(parsed.issues));
  return parsed.request;
}

function pathsOf(raw: RawChat): readonly string[] {
  const parsed = parseChat(raw, REGISTRY);
  return parsed.kind === 'valid' ? [] : parsed.issues.map(({ path }) => path.join('.'));
}

function talk(...messages: readonly RawMessage[]): RawChat {
  return { messages };
}

/** An object of so many levels. */
function nested(levels: number): object {
  let value: object = {};
  for (let level = 1; level < levels; level += 1) value = { properties: value };
  return value;
}

/** Each with the path of the one thing that is wrong with it. */
const BAD: readonly (readonly [what: string, raw: RawChat, path: string])[] = [
  ['a choice without tools', { prompt: 'a', toolChoice: { mode: 'auto' } }, 'toolChoice'],
  ['a tool without a name', { prompt: 'a', tools: [{ name: '' }] }, 'tools.0.name'],
  ['a tool with a blank in its name', { prompt: 'a', tools: [{ name: 'get weather' }] }, 'tools.0.name'],
  ['two tools of one name', { prompt: 'a', tools: [WEATHER, WEATHER] }, 'tools.1.name'],
  ['parameters that are a text', { prompt: 'a', tools: [{ name: 'b', parameters: '{}' }] }, 'tools.0.parameters'],
  ['parameters that are a list', { prompt: 'a', tools: [{ name: 'b', parameters: [] }] }, 'tools.0.parameters'],
  ['too many tools', { prompt: 'a', tools: Array.from({ length: 129 }, (_, at) => ({ name: `t${at}` })) }, 'tools'],
  ['tools that are too long', { prompt: 'a', tools: [{ name: 'b', description: 'x'.repeat(200_000) }] }, 'tools'],
  [
    'a choice that is not there',
    { prompt: 'a', tools: [WEATHER], toolChoice: { function: 'b' } },
    'toolChoice.function',
  ],
  ['no JSON object', { prompt: 'a', responseFormat: { jsonObject: false } }, 'responseFormat.jsonObject'],
  [
    'a schema that is a list',
    { prompt: 'a', responseFormat: { jsonSchema: { name: 'a', schema: [] } } },
    'responseFormat.jsonSchema.schema',
  ],
  [
    'a schema without a name',
    { prompt: 'a', responseFormat: { jsonSchema: { name: '', schema: {} } } },
    'responseFormat.jsonSchema.name',
  ],
  [
    'a schema that is too long',
    { prompt: 'a', responseFormat: { jsonSchema: { name: 'a', schema: { title: 'x'.repeat(200_000) } } } },
    'responseFormat',
  ],
  ['a result of no call', talk(QUESTION, RESULT), 'messages.1.toolCallId'],
  ['a result before its call', talk(QUESTION, RESULT, CALLED), 'messages.1.toolCallId'],
  ['a result of an unknown call', talk(QUESTION, CALLED, { ...RESULT, toolCallId: 'b' }), 'messages.2.toolCallId'],
  ['a result that names no call', talk(QUESTION, CALLED, { role: 'tool', content: 'a' }), 'messages.2.toolCallId'],
  [
    'an answer to a call by a person',
    talk(QUESTION, CALLED, { ...QUESTION, toolCallId: 'call_1' }),
    'messages.2.toolCallId',
  ],
  ['calls by a person', talk({ ...QUESTION, toolCalls: [CALL] }), 'messages.0.toolCalls'],
  [
    'a call without an id',
    talk(QUESTION, { ...CALLED, toolCalls: [{ ...CALL, id: '' }] }),
    'messages.1.toolCalls.0.id',
  ],
  [
    'a call of nothing',
    talk(QUESTION, { ...CALLED, toolCalls: [{ ...CALL, name: '' }] }),
    'messages.1.toolCalls.0.name',
  ],
  ['too strong a penalty', { prompt: 'a', presencePenalty: 2.1 }, 'presencePenalty'],
  ['too weak a penalty', { prompt: 'a', frequencyPenalty: -2.1 }, 'frequencyPenalty'],
  ['several answers', { prompt: 'a', extras: { n: 4 } }, 'n'],
  ['a dearer tier', { prompt: 'a', extras: { service_tier: 'priority' } }, 'service_tier'],
  ['a limit around ours', { prompt: 'a', extras: { max_tokens: 1_000_000 } }, 'max_tokens'],
  ['a limit that overrules ours', { prompt: 'a', extras: { n_predict: 1_000_000 } }, 'n_predict'],
  ['a template that may repeat itself', { prompt: 'a', extras: { chat_template: '{{ 1 }}' } }, 'chat_template'],
  ['a search', { prompt: 'a', extras: { search_parameters: {} } }, 'search_parameters'],
  ['a bias that is a text', { prompt: 'a', extras: { logit_bias: { 50: 'much' } } }, 'logit_bias'],
  ['a bias that is a list', { prompt: 'a', extras: { logit_bias: [1] } }, 'logit_bias'],
  ['likelihoods that are a number', { prompt: 'a', extras: { logprobs: 3 } }, 'logprobs'],
  ['too many likelihoods', { prompt: 'a', extras: { logprobs: true, top_logprobs: 21 } }, 'top_logprobs'],
  ['half a likelihood', { prompt: 'a', extras: { logprobs: true, top_logprobs: 0.5 } }, 'top_logprobs'],
  ['an unheard-of verbosity', { prompt: 'a', extras: { verbosity: 'loud' } }, 'verbosity'],
  ['extra fields that are too long', { prompt: 'a', extras: { top_words: 'x'.repeat(20_000) } }, 'top_words'],
  [
    'parameters without a bottom',
    { prompt: 'a', tools: [{ name: 'b', parameters: nested(65) }] },
    'tools.0.parameters',
  ],
  [
    'a schema without a bottom',
    { prompt: 'a', responseFormat: { jsonSchema: { name: 'a', schema: nested(20_000) } } },
    'responseFormat.jsonSchema.schema',
  ],
  ['an extra field without a bottom', { prompt: 'a', extras: { top_words: nested(20_000) } }, 'top_words'],
];

describe('a chat with tools that is not acceptable', () => {
  test.each(BAD)('%s is refused, and the one issue names its place', (_what, raw, path) => {
    expect(pathsOf(raw)).toEqual([path]);
  });
});

describe('a chat with tools', () => {
  test('keeps the calls that were made, and what came of them', () => {
    expect(parse(talk(QUESTION, CALLED, { ...RESULT, content: '' })).prompt.messages).toEqual([
      { role: 'user', parts: [{ kind: 'text', text: 'How warm is it in Oslo?' }] },
      { role: 'assistant', parts: [], toolCalls: [CALL] },
      { role: 'tool', parts: [{ kind: 'text', text: '' }], toolCallId: 'call_1' },
    ]);
  });

  test('has every tool with its schema, and the choice among them', () => {
    const raw: RawChat = {
      prompt: 'a',
      tools: [WEATHER],
      toolChoice: { function: 'weather' },
      parallelToolCalls: false,
    };
    expect(parse(raw).prompt.tools).toEqual({
      tools: [{ name: 'weather', description: null, parameters: WEATHER.parameters, isStrict: null }],
      choice: { kind: 'function', name: 'weather' },
      isParallel: false,
    });
  });

  test('an empty list of tools is no tool at all', () => {
    expect(parse({ prompt: 'a', tools: [] }).prompt.tools).toBeNull();
  });

  test('a schema of 64 levels is taken', () => {
    expect(parse({ prompt: 'a', tools: [{ name: 'b', parameters: nested(64) }] }).prompt.tools).not.toBeNull();
  });

  test('extra fields that ask for nothing are left out in silence', () => {
    const neutral = { n: 1, service_tier: 'auto', modalities: ['text'], plugins: [] };
    expect(parse({ prompt: 'a', extras: neutral }).prompt.extras).toBeNull();
    expect(parse({ prompt: 'a', extras: { ...neutral, service_tier: 'default', top_k: 3 } }).prompt.extras).toEqual({
      top_k: 3,
    });
  });

  test('an answer in JSON may follow a schema, strictly unless told otherwise', () => {
    const schema = { type: 'object' };
    expect(parse({ prompt: 'a', responseFormat: { jsonObject: true } }).prompt.responseFormat).toEqual({
      kind: 'json',
    });
    expect(parse({ prompt: 'a', responseFormat: { jsonSchema: { name: 'a', schema } } }).prompt.responseFormat).toEqual(
      {
        kind: 'jsonSchema',
        name: 'a',
        description: null,
        schema,
        isStrict: true,
      },
    );
  });

  test('asks something else than the same chat without them, under one idempotency key', () => {
    const plain = fingerprintOf(parse({ prompt: 'a' }));
    expect(plain).not.toContain('tools');
    expect(fingerprintOf(parse({ prompt: 'a', tools: [WEATHER] }))).not.toBe(plain);
    expect(fingerprintOf(parse({ prompt: 'a', extras: { top_k: 3 } }))).not.toBe(plain);
  });
});
