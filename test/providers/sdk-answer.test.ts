import { describe, expect, test } from 'vitest';
import { ANSWERS, answerIn, send } from './wire.ts';

describe('how an answer ends', () => {
  test('a refusal of OpenAI is told apart from the text', async () => {
    const message = { role: 'assistant', content: 'Well.', refusal: 'I cannot help with that.' };
    const answer = { ...ANSWERS.openai, choices: [{ index: 0, message, finish_reason: 'stop' }] };
    const { result } = await send('openai', {}, [answer]);
    const expected = { text: 'Well.', refusal: 'I cannot help with that.', finishReason: 'contentFilter' };
    expect(answerIn(result)).toMatchObject(expected);
  });

  test('a prompt that Gemini blocks is an answer without text and with a reason', async () => {
    const usageMetadata = { promptTokenCount: 8, totalTokenCount: 8 };
    const { result } = await send('gemini', {}, [{ promptFeedback: { blockReason: 'SAFETY' }, usageMetadata }]);
    expect(answerIn(result)).toMatchObject({
      text: null,
      refusal: "The provider's filter ended the answer (SAFETY).",
      finishReason: 'contentFilter',
      usage: { inputTokens: 8, outputTokens: 0, source: 'reported' },
    });
  });

  test.each([
    ['openai', { ...ANSWERS.openai, choices: [{ ...ANSWERS.openai.choices[0], finish_reason: 'length' }] }],
    ['anthropic', { ...ANSWERS.anthropic, stop_reason: 'max_tokens' }],
    ['gemini', { candidates: [{ finishReason: 'MAX_TOKENS' }], usageMetadata: ANSWERS.gemini.usageMetadata }],
  ] as const)('%s: the output limit is named length, even when thinking left no text', async (kind, answer) => {
    const { result } = await send(kind, {}, [answer]);
    expect(answerIn(result).finishReason).toBe('length');
  });

  test('an end of a kind no one foresaw is a plain end when text came', async () => {
    const choices = [{ ...ANSWERS.openaiCompatible.choices[0], finish_reason: 'eos' }];
    const { result } = await send('openaiCompatible', {}, [{ ...ANSWERS.openaiCompatible, choices }]);
    expect(answerIn(result).finishReason).toBe('stop');
  });

  test('and the end of a tool call when a call came', async () => {
    const tool_calls = [{ id: 'c1', type: 'function', function: { name: 'now', arguments: '{}' } }];
    const choices = [{ index: 0, message: { role: 'assistant', content: null, tool_calls }, finish_reason: 'eos' }];
    const { result } = await send('openaiCompatible', {}, [{ ...ANSWERS.openaiCompatible, choices }]);
    expect(answerIn(result).finishReason).toBe('toolCalls');
  });

  test('what a gateway says broke off is no plain end, also when something came', async () => {
    const choices = [{ ...ANSWERS.openaiCompatible.choices[0], finish_reason: 'error' }];
    const { result } = await send('openaiCompatible', {}, [{ ...ANSWERS.openaiCompatible, choices }]);
    expect(answerIn(result)).toMatchObject({ text: 'ok', finishReason: 'error' });
  });

  test('Gemini’s package does not go on by itself: one request, and the first answer is kept', async () => {
    const going = {
      candidates: [
        { content: { role: 'model', parts: [{ text: 'half' }] }, finishReason: 'CONTINUATION', continuationToken: 't' },
      ],
      usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 900, totalTokenCount: 905 },
    };
    const { sent, result } = await send('gemini', {}, [going, ANSWERS.gemini]);
    expect(sent).toHaveLength(1);
    expect(answerIn(result)).toMatchObject({
      text: 'half',
      finishReason: 'length',
      usage: { inputTokens: 5, outputTokens: 900, source: 'reported' },
    });
  });
});
