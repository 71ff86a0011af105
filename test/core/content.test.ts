import { expect, test } from 'vitest';
import { CONTENT_LIMITS, contentOf } from '../../src/core/content.ts';
import type { Message } from '../../src/core/message.ts';
import type { Answer } from '../../src/core/prompt.ts';

const answered = (text: string): Answer => ({
  text,
  refusal: null,
  toolCalls: [],
  logprobs: null,
  finishReason: 'stop',
  usage: { inputTokens: 1, cachedInputTokens: 0, outputTokens: 1, reasoningTokens: 0, source: 'reported' },
  warnings: [],
});

const say = (role: 'system' | 'user', text: string): Message => ({ role, parts: [{ kind: 'text', text }] });

test('a single question is kept as it was put', () => {
  expect(contentOf([say('user', 'How do trains run?')], answered('On rails.'))).toEqual({
    prompt: 'How do trains run?',
    answer: 'On rails.',
  });
});

test('a conversation is kept message by message, with tools and images named', () => {
  const call = { id: 'call_1', name: 'weather', arguments: '{"city":"Bern"}' };
  const messages: Message[] = [
    say('system', 'Be brief.'),
    {
      role: 'user',
      parts: [
        { kind: 'text', text: 'And here?' },
        { kind: 'image', url: 'https://x.test/a.png', detail: null },
      ],
    },
    { role: 'assistant', parts: [], toolCalls: [call] },
    { role: 'tool', parts: [{ kind: 'text', text: 'snow' }], toolCallId: 'call_1' },
  ];
  expect(contentOf(messages, answered('Snow.')).prompt).toBe(
    '[system]\nBe brief.\n\n[user]\nAnd here?\n(an image)\n\n[assistant]\nweather({"city":"Bern"})\n\n[tool]\nsnow',
  );
});

test('what is longer than the limit is cut, and says how much is missing', () => {
  const long = 'x'.repeat(CONTENT_LIMITS.charsMax + 7);
  const { prompt, answer } = contentOf([say('user', long)], answered(long));
  expect(prompt).toBe(`${'x'.repeat(CONTENT_LIMITS.charsMax)}\n… (7 more characters were not kept)`);
  expect(answer).toBe(prompt);
});
