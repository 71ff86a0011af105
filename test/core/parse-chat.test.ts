import { equal, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { picoUsd } from '../../src/core/money.ts';
import { parseChat } from '../../src/core/parse-chat.ts';
import type { RawChat } from '../../src/core/raw-chat.ts';
import { makeModel, makeProvider, makeRegistry } from '../support/registries.ts';

const REGISTRY = makeRegistry(
  makeProvider('openai', [makeModel('gpt-5.1', '20', { aliases: ['smart'] })]),
  makeProvider('google', [makeModel('gemini-pro', '15'), makeModel('shared', '1')]),
  makeProvider('groq', [makeModel('shared', '1')]),
);

function parse(raw: RawChat) {
  return parseChat(raw, REGISTRY);
}

function pathsOf(raw: RawChat): readonly string[] {
  const parsed = parse(raw);
  return parsed.kind === 'valid' ? [] : parsed.issues.map(({ path }) => path.join('.'));
}

function user(content: string) {
  return { role: 'user', content } as const;
}

const LONE = '\ud800';

/** Each with the path of the one thing that is wrong with it. */
const BAD: readonly (readonly [what: string, raw: RawChat, path: string])[] = [
  ['neither prompt nor messages', {}, 'prompt'],
  ['both prompt and messages', { prompt: 'a', messages: [user('a')] }, 'prompt'],
  ['an empty prompt', { prompt: '' }, 'prompt'],
  ['a blank prompt', { prompt: ' \n\t ' }, 'prompt'],
  ['a prompt that is too long', { prompt: 'x'.repeat(200_001) }, 'prompt'],
  ['messages that are too long together', { messages: [user('x'.repeat(200_000)), user('y')] }, 'messages'],
  ['no messages', { messages: [] }, 'messages'],
  ['too many messages', { messages: Array.from({ length: 1_001 }, () => user('a')) }, 'messages'],
  ['nobody who asks', { messages: [{ role: 'assistant', content: 'a' }] }, 'messages'],
  ['an empty message', { messages: [user('a'), user('')] }, 'messages.1.content'],
  ['a question of nothing', { messages: [user('a'), { role: 'user' }] }, 'messages.1.content'],
  ['a message said twice', { messages: [{ role: 'user', content: 'a', parts: [{ text: 'a' }] }] }, 'messages.0'],
  ['a message without parts', { messages: [user('a'), { role: 'user', parts: [] }] }, 'messages.1.parts'],
  ['a message of blank parts', { messages: [{ role: 'user', parts: [{ text: ' ' }] }] }, 'messages.0.parts'],
  ['a part of nothing', { messages: [{ role: 'user', parts: [{ text: 'a' }, {}] }] }, 'messages.0.parts.1.imageUrl'],
  [
    'an image by another way than https',
    { messages: [{ role: 'user', parts: [{ imageUrl: 'file:///etc/passwd' }, { text: 'a' }] }] },
    'messages.0.parts.0.imageUrl',
  ],
  ['a blank instruction', { prompt: 'a', system: ' ' }, 'system'],
  ['an unknown model', { prompt: 'a', model: 'gpt-9' }, 'model'],
  ['a model of another provider', { prompt: 'a', model: 'openai/gemini-pro' }, 'model'],
  ['an unknown fallback', { prompt: 'a', fallbackModels: ['smart', 'gpt-9'] }, 'fallbackModels.1'],
  ['too many fallbacks', { prompt: 'a', fallbackModels: Array(11).fill('smart') }, 'fallbackModels'],
  ['an unknown provider in order', { prompt: 'a', routing: { order: ['openai', 'nobody'] } }, 'routing.order.1'],
  ['an unknown provider in only', { prompt: 'a', routing: { only: ['nobody'] } }, 'routing.only.0'],
  ['an unknown provider in ignore', { prompt: 'a', routing: { ignore: ['prov_nobody'] } }, 'routing.ignore.0'],
  ['no attempts', { prompt: 'a', routing: { maxAttempts: 0 } }, 'routing.maxAttempts'],
  ['too many attempts', { prompt: 'a', routing: { maxAttempts: 11 } }, 'routing.maxAttempts'],
  ['half an attempt', { prompt: 'a', routing: { maxAttempts: 1.5 } }, 'routing.maxAttempts'],
  ['no time for a model', { prompt: 'a', routing: { maxLatencyMs: 0 } }, 'routing.maxLatencyMs'],
  [
    'a negative input price',
    { prompt: 'a', routing: { maxPrice: { inputUsdPerMillion: picoUsd(-1_000_000n) } } },
    'routing.maxPrice.inputUsdPerMillion',
  ],
  [
    'an output price between two steps',
    { prompt: 'a', routing: { maxPrice: { outputUsdPerMillion: picoUsd(1n) } } },
    'routing.maxPrice.outputUsdPerMillion',
  ],
  ['a cost limit of nothing', { prompt: 'a', maxCostUsd: picoUsd(0n) }, 'maxCostUsd'],
  ['a cost limit above all budgets', { prompt: 'a', maxCostUsd: picoUsd(10n ** 18n + 1n) }, 'maxCostUsd'],
  ['a negative cost limit', { prompt: 'a', maxCostUsd: picoUsd(-1n) }, 'maxCostUsd'],
  ['no time', { prompt: 'a', timeoutMs: 0 }, 'timeoutMs'],
  ['too little time', { prompt: 'a', timeoutMs: 99 }, 'timeoutMs'],
  ['too much time', { prompt: 'a', timeoutMs: 600_001 }, 'timeoutMs'],
  ['time that is no number', { prompt: 'a', timeoutMs: Number.NaN }, 'timeoutMs'],
  ['too warm', { prompt: 'a', temperature: 3 }, 'temperature'],
  ['too cold', { prompt: 'a', temperature: -0.1 }, 'temperature'],
  ['a negative topP', { prompt: 'a', topP: -1 }, 'topP'],
  ['no output', { prompt: 'a', maxOutputTokens: 0 }, 'maxOutputTokens'],
  ['half a token', { prompt: 'a', maxOutputTokens: 1.5 }, 'maxOutputTokens'],
  ['a seed between two numbers', { prompt: 'a', seed: 0.5 }, 'seed'],
  ['too many stops', { prompt: 'a', stop: ['1', '2', '3', '4', '5'] }, 'stop'],
  ['an empty stop', { prompt: 'a', stop: ['1', ''] }, 'stop.1'],
  ['a stop that is too long', { prompt: 'a', stop: ['x'.repeat(201)] }, 'stop.0'],
  ['metadata that is a list', { prompt: 'a', metadata: ['a'] }, 'metadata'],
  ['metadata that is a number', { prompt: 'a', metadata: 7 }, 'metadata'],
  ['metadata that is a text', { prompt: 'a', metadata: 'team' }, 'metadata'],
  ['a label that is a number', { prompt: 'a', metadata: { team: 7 } }, 'metadata.team'],
  ['a label that is null', { prompt: 'a', metadata: { team: null } }, 'metadata.team'],
  ['an empty label', { prompt: 'a', metadata: { team: '' } }, 'metadata.team'],
  ['a label that is too long', { prompt: 'a', metadata: { team: 'x'.repeat(201) } }, 'metadata.team'],
  ['a label that cannot be stored', { prompt: 'a', metadata: { team: 'a\u0000b' } }, 'metadata.team'],
  ['a name that cannot be stored', { prompt: 'a', metadata: { [LONE]: 'a' } }, `metadata.${LONE}`],
  [
    '17 labels',
    { prompt: 'a', metadata: Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`l${at}`, 'a'])) },
    'metadata',
  ],
  ['an empty user', { prompt: 'a', userId: '' }, 'userId'],
  ['a user whose name is too long', { prompt: 'a', userId: 'x'.repeat(201) }, 'userId'],
  ['a user with a NUL', { prompt: 'a', userId: 'ann\u0000' }, 'userId'],
  ['a user with half a character', { prompt: 'a', userId: `ann${LONE}` }, 'userId'],
  ['an empty conversation', { prompt: 'a', conversationId: '' }, 'conversationId'],
  ['a conversation that is too long', { prompt: 'a', conversationId: 'x'.repeat(201) }, 'conversationId'],
  ['an empty key', { prompt: 'a', idempotencyKey: '' }, 'idempotencyKey'],
  ['a key that is too long', { prompt: 'a', idempotencyKey: 'x'.repeat(256) }, 'idempotencyKey'],
  ['a key of two lines', { prompt: 'a', idempotencyKey: 'a\n' }, 'idempotencyKey'],
  ['a key that no header can carry', { prompt: 'a', idempotencyKey: 'schlüssel' }, 'idempotencyKey'],
  ['a stop with half a character', { prompt: 'a', stop: [LONE] }, 'stop.0'],
];

describe('a chat that is not acceptable', () => {
  test.each(BAD)('%s is refused, and the one issue names its place', (_what, raw, path) => {
    expect(pathsOf(raw)).toEqual([path]);
  });

  test('every problem is reported at once, each with words of its own', () => {
    const raw: RawChat = {
      system: '',
      prompt: ' ',
      model: 'gpt-9',
      fallbackModels: ['gpt-8'],
      temperature: 3,
      stop: ['', 'x'.repeat(201)],
      routing: { only: ['nobody'], maxAttempts: 0 },
      maxCostUsd: picoUsd(0n),
      timeoutMs: 1,
      userId: '',
      metadata: 7,
    };
    expect(pathsOf(raw).toSorted()).toEqual(
      [
        'system',
        'prompt',
        'model',
        'fallbackModels.0',
        'temperature',
        'stop.0',
        'stop.1',
        'routing.only.0',
        'routing.maxAttempts',
        'maxCostUsd',
        'timeoutMs',
        'userId',
        'metadata',
      ].toSorted(),
    );
    const parsed = parse(raw);
    const words = parsed.kind === 'invalid' ? parsed.issues.map(({ message }) => message) : [];
    expect(words.every((message) => message.length > 10)).toBe(true);
  });

  test('any combination of problems in different fields is reported whole', () => {
    const single = BAD.filter(([, , path]) => !/^(prompt|messages|system)/.test(path));
    fc.assert(
      fc.property(fc.subarray([...single], { minLength: 1 }), (chosen) => {
        const raw: RawChat = Object.assign({}, ...chosen.map(([, one]) => one));
        const fields = new Set(chosen.map(([, , path]) => path.split('.')[0] ?? ''));
        const reported = new Set(pathsOf(raw).map((path) => path.split('.')[0] ?? ''));
        equal([...reported].toSorted().join(), [...fields].toSorted().join());
      }),
      { numRuns: 2_000 },
    );
  });

  test('the providers that there are are told where one is unknown', () => {
    const parsed = parse({ prompt: 'a', routing: { only: ['nobody'] } });
    expect(parsed.kind === 'invalid' && parsed.issues[0]?.message).toBe(
      'no provider is called "nobody"; there are openai, google, groq',
    );
  });
});

test('whatever a door hands over, parsing ends with a request or with issues, and never throws', () => {
  const text = fc.oneof(fc.constantFrom('openai', 'smart', 'auto', '', LONE), fc.string());
  const number = fc.oneof(fc.double(), fc.integer());
  const raw = fc.record(
    {
      prompt: fc.option(text),
      messages: fc.option(
        fc.array(fc.record({ role: fc.constantFrom('user', 'assistant'), content: fc.option(text) })),
      ),
      model: fc.option(text),
      fallbackModels: fc.option(fc.array(text)),
      stop: fc.option(fc.array(text)),
      temperature: fc.option(number),
      maxOutputTokens: fc.option(number),
      timeoutMs: fc.option(number),
      maxCostUsd: fc.option(fc.bigInt().map(picoUsd)),
      userId: fc.option(text),
      metadata: fc.anything(),
      routing: fc.record({ only: fc.array(text), maxAttempts: fc.option(number) }),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<RawChat>;
  fc.assert(
    fc.property(raw, (chat) => {
      const parsed = parse(chat);
      ok(parsed.kind === 'valid' || parsed.issues.length > 0);
    }),
    { numRuns: 2_000 },
  );
});
