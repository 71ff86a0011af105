import { describe, expect, test } from 'vitest';
import { CHAT_LIMITS } from '../../src/core/chat-request.ts';
import { picoUsd } from '../../src/core/money.ts';
import { parseChat } from '../../src/core/parse-chat.ts';
import type { RawChat } from '../../src/core/raw-chat.ts';
import { makeModel, makeProvider, makeRegistry } from '../support/registries.ts';

const REGISTRY = makeRegistry(
  makeProvider('openai', [makeModel('gpt-5.1', '20', { aliases: ['smart'] })]),
  makeProvider('google', [makeModel('gemini-pro', '15'), makeModel('shared', '1')]),
  makeProvider('groq', [makeModel('shared', '1')]),
);

function pathsOf(raw: RawChat): readonly string[] {
  const parsed = parseChat(raw, REGISTRY);
  return parsed.kind === 'valid' ? [] : parsed.issues.map(({ path }) => path.join('.'));
}

function requestOf(raw: RawChat) {
  const parsed = parseChat(raw, REGISTRY);
  if (parsed.kind !== 'valid') throw new RangeError(JSON.stringify(parsed.issues));
  return parsed.request;
}

describe('a chat that is acceptable', () => {
  test('says nothing but a prompt: everything else has its default', () => {
    expect(requestOf({ prompt: 'hello' })).toEqual({
      prompt: {
        messages: [{ role: 'user', parts: [{ kind: 'text', text: 'hello' }] }],
        tools: null,
        responseFormat: null,
        presencePenalty: null,
        frequencyPenalty: null,
        extras: null,
        temperature: null,
        topP: null,
        stop: [],
        seed: null,
        reasoningEffort: null,
      },
      model: 'auto',
      fallbackModels: [],
      maxOutputTokens: null,
      preferences: {
        order: [],
        only: [],
        ignore: [],
        sort: null,
        allowFallbacks: true,
        attemptsMax: 3,
        requireParameters: true,
        inputPriceMax: null,
        outputPriceMax: null,
        latencyMsMax: null,
        category: null,
      },
      costMax: null,
      timeoutMs: 60_000,
      userId: null,
      conversationId: null,
      metadata: {},
      idempotencyKey: null,
    });
  });

  test('null and leaving out are the same, for every field', () => {
    const nothing = Object.fromEntries(
      [
        ...['messages', 'system', 'model', 'fallbackModels', 'maxOutputTokens', 'temperature', 'topP', 'stop', 'seed'],
        ...['reasoningEffort', 'routing', 'maxCostUsd', 'timeoutMs', 'userId', 'conversationId', 'metadata'],
        'idempotencyKey',
      ].map((field) => [field, null]),
    );
    expect(requestOf({ ...nothing, prompt: 'hello' })).toEqual(requestOf({ prompt: 'hello' }));
  });

  test('a system instruction comes first, whoever speaks next', () => {
    const roles = (raw: RawChat) => requestOf(raw).prompt.messages.map(({ role }) => role);
    expect(roles({ system: 'be brief', prompt: 'hello' })).toEqual(['system', 'user']);
    expect(
      roles({
        system: 'be brief',
        messages: [
          { role: 'assistant', content: 'hi' },
          { role: 'user', content: 'hello' },
        ],
      }),
    ).toEqual(['system', 'assistant', 'user']);
  });

  test('a provider may be named by its key or by its global id', () => {
    const { preferences } = requestOf({
      prompt: 'a',
      routing: { order: ['prov_openai', 'google'], only: ['openai', 'prov_google'], ignore: ['prov_groq'] },
    });
    expect(preferences).toMatchObject({ order: ['openai', 'google'], only: ['openai', 'google'], ignore: ['groq'] });
  });

  test('a model may be named by its name, an alias, with its provider, or not at all', () => {
    for (const model of ['gpt-5.1', 'smart', 'openai/gpt-5.1', 'openai/smart', 'groq/shared', 'shared', 'auto']) {
      expect(requestOf({ prompt: 'a', model }).model).toBe(model);
    }
  });

  test('texts and images, labels, prices and limits arrive as they were sent', () => {
    const request = requestOf({
      messages: [{ role: 'user', parts: [{ text: 'what?' }, { imageUrl: 'data:image/png;base64,AA' }] }],
      metadata: { team: 'search', __proto__: null, constructor: 'x' },
      maxCostUsd: picoUsd(1n),
      routing: { maxPrice: { inputUsdPerMillion: picoUsd(2_500_000_000_000n) }, maxLatencyMs: 300 },
      userId: 'ünï 🙂',
    });
    expect(request.prompt.messages[0]?.parts).toEqual([
      { kind: 'text', text: 'what?' },
      { kind: 'image', url: 'data:image/png;base64,AA', detail: null },
    ]);
    expect(request.metadata).toEqual({ team: 'search', constructor: 'x' });
    expect(request).toMatchObject({ costMax: 1n, userId: 'ünï 🙂' });
    expect(request.preferences).toMatchObject({ inputPriceMax: 2_500_000, outputPriceMax: null, latencyMsMax: 300 });
  });

  test.each([
    ['timeoutMs', CHAT_LIMITS.timeoutMsMin, CHAT_LIMITS.timeoutMsMax],
    ['temperature', 0, 2],
    ['topP', 0, 1],
    ['maxOutputTokens', 1, 10_000_000],
  ] as const)('%s may be anything from %d to %d', (field, least, most) => {
    for (const value of [least, most]) expect(pathsOf({ prompt: 'a', [field]: value })).toEqual([]);
  });

  test('exactly 200,000 characters are taken, and an emoji is one character', () => {
    expect(pathsOf({ prompt: '🙂'.repeat(200_000) })).toEqual([]);
    expect(pathsOf({ prompt: '🙂'.repeat(200_001) })).toEqual(['prompt']);
  });
});
