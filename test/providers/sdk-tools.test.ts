import { describe, expect, test } from 'vitest';
import type { Message } from '../../src/core/message.ts';
import type { ToolUse } from '../../src/core/tool.ts';
import { fieldAt } from '../../src/providers/json-field.ts';
import type { SdkKind } from '../../src/providers/vendor.ts';
import { promptOfText, SDK_KINDS } from './upstream.ts';
import { ANSWERS, answerIn, modelOf, send } from './wire.ts';

const SCHEMA = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const WEATHER = { name: 'weather', description: 'Tells it.', parameters: SCHEMA, isStrict: null };
/** A number that JSON.parse would round. */
const ARGUMENTS = '{"city":"Oslo","station":12345678901234567890}';
const TALK: readonly Message[] = [
  { role: 'user', parts: [{ kind: 'text', text: 'How warm is it?' }] },
  { role: 'assistant', parts: [], toolCalls: [{ id: 'call_1', name: 'weather', arguments: ARGUMENTS }] },
  { role: 'tool', parts: [{ kind: 'text', text: '-3 degrees' }], toolCallId: 'call_1' },
];

function using(over: Partial<ToolUse> = {}) {
  return promptOfText('x', { tools: { tools: [WEATHER], choice: null, isParallel: null, ...over } });
}

/** Where each vendor's body holds the name and the schema of the first tool. */
const TOOL_AT: Readonly<
  Record<SdkKind, readonly [name: readonly (string | number)[], schema: readonly (string | number)[]]>
> = {
  openai: [
    ['tools', 0, 'function', 'name'],
    ['tools', 0, 'function', 'parameters'],
  ],
  openaiCompatible: [
    ['tools', 0, 'function', 'name'],
    ['tools', 0, 'function', 'parameters'],
  ],
  anthropic: [
    ['tools', 0, 'name'],
    ['tools', 0, 'input_schema'],
  ],
  gemini: [
    ['tools', 0, 'functionDeclarations', 0, 'name'],
    ['tools', 0, 'functionDeclarations', 0, 'parametersJsonSchema'],
  ],
};

/** What each vendor calls the four choices. */
const CHOICES: Readonly<Record<SdkKind, readonly [at: readonly string[], words: readonly unknown[]]>> = {
  openai: [['tool_choice'], ['auto', 'none', 'required', { type: 'function', function: { name: 'weather' } }]],
  openaiCompatible: [
    ['tool_choice'],
    ['auto', 'none', 'required', { type: 'function', function: { name: 'weather' } }],
  ],
  anthropic: [
    ['tool_choice'],
    [{ type: 'auto' }, { type: 'none' }, { type: 'any' }, { type: 'tool', name: 'weather' }],
  ],
  gemini: [
    ['toolConfig', 'functionCallingConfig'],
    [{ mode: 'AUTO' }, { mode: 'NONE' }, { mode: 'ANY' }, { mode: 'ANY', allowedFunctionNames: ['weather'] }],
  ],
};

describe.each(SDK_KINDS)('%s: tools', (kind) => {
  test('reach the vendor with their schemas', async () => {
    const { sent, result } = await send(kind, { prompt: using() });
    const [name, schema] = TOOL_AT[kind];
    expect(fieldAt(sent[0]!.body, ...name)).toBe('weather');
    expect(fieldAt(sent[0]!.body, ...schema)).toMatchObject({ properties: { city: { type: 'string' } } });
    expect(answerIn(result).warnings).toEqual([]);
  });

  test('are chosen as the caller says', async () => {
    const [at, words] = CHOICES[kind];
    const choices = [
      { kind: 'auto' },
      { kind: 'none' },
      { kind: 'required' },
      { kind: 'function', name: 'weather' },
    ] as const;
    for (const [index, choice] of choices.entries()) {
      const { sent } = await send(kind, { prompt: using({ choice }) });
      const word = words[index];
      const found = fieldAt(sent[0]!.body, ...at);
      if (typeof word === 'string') expect(found).toBe(word);
      else expect(found).toMatchObject(word as object);
    }
  });

  test('that were called are told with what came of them, and no digit is lost', async () => {
    const { sent } = await send(kind, { prompt: { ...using(), messages: TALK } });
    const text = JSON.stringify(sent[0]!.body);
    expect(text).toContain('-3 degrees');
    expect(text).toContain('weather');
    if (kind === 'openai' || kind === 'openaiCompatible') {
      expect(fieldAt(sent[0]!.body, 'messages', 1, 'tool_calls', 0, 'function', 'arguments')).toBe(ARGUMENTS);
      expect(fieldAt(sent[0]!.body, 'messages', 2)).toMatchObject({ role: 'tool', tool_call_id: 'call_1' });
    }
  });

  test('arguments that are no JSON object are sent as none, and the answer says so', async () => {
    const calls = [{ id: 'call_1', name: 'weather', arguments: '{"city":' }];
    const messages = TALK.map((message) => (message.role === 'assistant' ? { ...message, toolCalls: calls } : message));
    const { sent, result } = await send(kind, { prompt: { ...using(), messages } });
    expect(JSON.stringify(sent[0]!.body)).not.toContain('city\\":}');
    expect(answerIn(result).warnings).toEqual([
      'The arguments of tool call call_1 are not a JSON object, so they were sent as {}.',
    ]);
  });
});

const CALLS = {
  openai: {
    ...ANSWERS.openai,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: null,
          tool_calls: ['a', 'b'].map((id) => ({
            id,
            type: 'function',
            function: { name: 'weather', arguments: '{}' },
          })),
        },
        finish_reason: 'tool_calls',
      },
    ],
  },
  anthropic: {
    ...ANSWERS.anthropic,
    content: ['a', 'b'].map((id) => ({ type: 'tool_use', id, name: 'weather', input: {} })),
    stop_reason: 'tool_use',
  },
  gemini: {
    candidates: [
      {
        content: { role: 'model', parts: ['a', 'b'].map(() => ({ functionCall: { name: 'weather', args: {} } })) },
        finishReason: 'STOP',
      },
    ],
    usageMetadata: ANSWERS.gemini.usageMetadata,
  },
};

describe('an answer that calls tools', () => {
  test.each([
    ['openai', CALLS.openai],
    ['openaiCompatible', CALLS.openai],
    ['anthropic', CALLS.anthropic],
    ['gemini', CALLS.gemini],
  ] as const)('%s: tells both calls, without text', async (kind, body) => {
    const { result } = await send(kind, { prompt: using() }, [body]);
    const answer = answerIn(result);
    expect(answer).toMatchObject({ text: null, refusal: null, finishReason: 'toolCalls' });
    expect(answer.toolCalls).toMatchObject([
      { name: 'weather', arguments: '{}' },
      { name: 'weather', arguments: '{}' },
    ]);
    expect(new Set(answer.toolCalls.map(({ id }) => id)).size).toBe(2);
  });

  test('counts what was written into the calls where the provider tells no usage', async () => {
    const { result } = await send('openaiCompatible', { prompt: using() }, [{ choices: CALLS.openai.choices }]);
    const { outputTokens, source } = answerIn(result).usage;
    expect(source).toBe('counted');
    expect(outputTokens).toBeGreaterThanOrEqual(2 * 'weather{}'.length);
  });
});

describe('several calls in one answer', () => {
  test.each([
    ['openai', ['parallel_tool_calls'], false],
    ['openaiCompatible', ['parallel_tool_calls'], false],
    ['anthropic', ['tool_choice', 'disable_parallel_tool_use'], true],
  ] as const)('%s: can be ruled out', async (kind, at, word) => {
    const { sent } = await send(kind, { prompt: using({ isParallel: false }) });
    expect(fieldAt(sent[0]!.body, ...at)).toBe(word);
  });
});

describe('an answer in JSON', () => {
  const schemaOf = (isStrict: boolean) =>
    promptOfText('x', {
      responseFormat: { kind: 'jsonSchema', name: 'place', description: 'A place.', schema: SCHEMA, isStrict },
    });

  test.each(['openai', 'openaiCompatible'] as const)('%s: follows a schema, strictly or not', async (kind) => {
    for (const strict of [true, false]) {
      const { sent, result } = await send(kind, { prompt: schemaOf(strict) });
      const json_schema = { name: 'place', description: 'A place.', schema: SCHEMA, strict };
      expect(fieldAt(sent[0]!.body, 'response_format')).toMatchObject({ type: 'json_schema', json_schema });
      expect(answerIn(result).warnings).toEqual([]);
    }
  });

  test('gemini and anthropic: follow a schema', async () => {
    const gemini = await send('gemini', { prompt: schemaOf(true) });
    expect(fieldAt(gemini.sent[0]!.body, 'generationConfig', 'responseMimeType')).toBe('application/json');
    const anthropic = await send('anthropic', { prompt: schemaOf(true) });
    expect(JSON.stringify(anthropic.sent[0]!.body)).toContain('"city"');
    expect(answerIn(anthropic.result).warnings).toEqual([]);
  });

  test.each(['openai', 'openaiCompatible'] as const)('%s: is any object without a schema', async (kind) => {
    const { sent } = await send(kind, { prompt: promptOfText('x', { responseFormat: { kind: 'json' } }) });
    expect(fieldAt(sent[0]!.body, 'response_format')).toEqual({ type: 'json_object' });
  });

  test('is not asked of a model that takes no such wish, and the answer says so', async () => {
    const model = modelOf('anthropic', { unsupportedParameters: ['jsonObject'] });
    const prompt = promptOfText('x', { responseFormat: { kind: 'json' } });
    const { result } = await send('anthropic', { prompt, model });
    expect(answerIn(result).warnings).toEqual([`jsonObject was not sent: ${model.name} does not support it.`]);
  });
});

describe('fields that have no word here', () => {
  const extras = {
    logit_bias: { 50256: -100 },
    logprobs: true,
    top_logprobs: 2,
    top_k: 40,
    chat_template_kwargs: { a: [1] },
  };

  test('openaiCompatible: all are passed on as they are', async () => {
    const { sent, result } = await send('openaiCompatible', { prompt: promptOfText('x', { extras }) });
    expect(sent[0]!.body).toMatchObject(extras);
    expect(answerIn(result).warnings).toEqual([]);
  });

  test('openai: those that it knows are passed on, and the answer names the others', async () => {
    const model = modelOf('openai', { name: 'gpt-4.1' });
    const { sent, result } = await send('openai', { prompt: promptOfText('x', { extras }), model });
    expect(sent[0]!.body).toMatchObject({ logit_bias: { 50256: -100 }, logprobs: true, top_logprobs: 2 });
    expect(answerIn(result).warnings).toEqual(
      ['top_k', 'chat_template_kwargs'].map(
        (name) => `${name} was not sent: Switchyard does not pass it on to openai.`,
      ),
    );
  });

  test('openai: fields of its own are passed on', async () => {
    const own = { verbosity: 'low', prompt_cache_key: 'k', safety_identifier: 'u1' };
    const { sent, result } = await send('openai', { prompt: promptOfText('x', { extras: own }) });
    expect(sent[0]!.body).toMatchObject(own);
    expect(answerIn(result).warnings).toEqual([]);
  });

  test('how likely each token was comes back as OpenAI tells it', async () => {
    const logprobs = { content: [{ token: 'ok', logprob: -0.1, bytes: null, top_logprobs: [] }], refusal: null };
    const body = { ...ANSWERS.openai, choices: [{ ...ANSWERS.openai.choices[0], logprobs }] };
    const { result } = await send('openai', { prompt: promptOfText('x', { extras }) }, [body]);
    expect(answerIn(result).logprobs).toEqual(logprobs);
  });

  test('a server that leaves out half of how likely each token was is completed', async () => {
    const content = [{ token: 'ok', logprob: -0.1, bytes: null, top_logprobs: [] }];
    const likely = async (logprobs: object | null) => {
      const body = { ...ANSWERS.openaiCompatible, choices: [{ ...ANSWERS.openaiCompatible.choices[0], logprobs }] };
      const { result } = await send('openaiCompatible', { prompt: promptOfText('x', { extras }) }, [body]);
      return answerIn(result).logprobs;
    };
    expect(await likely({ content })).toEqual({ content, refusal: null });
    expect(await likely({ tokens: ['ok'] })).toEqual({ content: null, refusal: null, tokens: ['ok'] });
    expect(await likely(null)).toBe(null);
  });
});
