import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Prompt } from '../../src/core/prompt.ts';
import { inputTokensMax, tokensMaxOf } from '../../src/providers/token-bound.ts';
import { modelNamed, promptOfText } from './upstream.ts';

const model = modelNamed('gpt-5.1', { imageTokensMax: 1_500 });

describe('the bound of the input is never too low', () => {
  test('every byte of every text counts as a token', () => {
    const text = fc.string({ unit: 'binary', maxLength: 200 });
    const property = fc.property(fc.array(text, { maxLength: 5 }), (texts) => {
      const prompt = {
        ...promptOfText(''),
        messages: texts.map((part) => ({ role: 'user', parts: [{ kind: 'text', text: part }] }) as const),
      };
      const bytes = texts.reduce((sum, part) => sum + Buffer.byteLength(part), 0);
      expect(inputTokensMax({ prompt, model, kind: 'openai' })).toBeGreaterThan(bytes);
    });
    fc.assert(property, { numRuns: 2_000 });
  });

  test('a tokenizer that normalises first cannot exceed it: U+FDFA grows from 3 to 33 bytes', () => {
    expect(tokensMaxOf('\uFDFA')).toBe(33);
    expect(tokensMaxOf('e\u0301')).toBe(3);
  });

  test('each message adds the marks a chat template puts around it', () => {
    const one = promptOfText('hi');
    const two = { ...one, messages: [...one.messages, ...one.messages] };
    const added =
      inputTokensMax({ prompt: two, model, kind: 'openai' }) - inputTokensMax({ prompt: one, model, kind: 'openai' });
    expect(added).toBeGreaterThanOrEqual(2 + 5);
  });

  test('an image counts as the most the model may bill for one, and its data as nothing more', () => {
    const image = { kind: 'image', url: `data:image/png;base64,${'A'.repeat(100_000)}`, detail: null } as const;
    const prompt = { ...promptOfText(''), messages: [{ role: 'user', parts: [image, image] } as const] };
    const bound = inputTokensMax({ prompt, model, kind: 'gemini' });
    expect(bound).toBeGreaterThanOrEqual(3_000);
    expect(bound).toBeLessThan(3_200);
  });

  test('tools, their calls and results, and the schema of the answer count with every byte', () => {
    const plain = inputTokensMax({ prompt: promptOfText('hi'), model, kind: 'anthropic' });
    const schema = { type: 'object', title: 'é'.repeat(500) };
    const tool = { name: 'weather', description: 'x'.repeat(300), parameters: schema, isStrict: null };
    const call = { id: 'call_1', name: 'weather', arguments: `{"city":"${'o'.repeat(400)}"}` };
    const boundOf = (over: Partial<Prompt>) =>
      inputTokensMax({ prompt: promptOfText('hi', over), model, kind: 'anthropic' }) - plain;
    expect(boundOf({ tools: { tools: [tool], choice: null, isParallel: null } })).toBeGreaterThan(804 + 300 + 1_000);
    expect(
      boundOf({ responseFormat: { kind: 'jsonSchema', name: 'a', description: null, schema, isStrict: true } }),
    ).toBeGreaterThan(1_000);
    expect(boundOf({ messages: [{ role: 'assistant', parts: [], toolCalls: [call] }] })).toBeGreaterThan(400);
  });

  test('extra fields count with every byte where they may end up in a template', () => {
    const extras = { chat_template_kwargs: { note: 'é'.repeat(500) } };
    const boundOf = (kind: 'openai' | 'openaiCompatible', over: Partial<Prompt>) =>
      inputTokensMax({ prompt: promptOfText('hi', over), model, kind });
    expect(boundOf('openaiCompatible', { extras }) - boundOf('openaiCompatible', {})).toBeGreaterThan(1_000);
    expect(boundOf('openai', { extras })).toBe(boundOf('openai', {}));
  });

  test('an unknown template of a compatible server is given more room', () => {
    const prompt = promptOfText('hi');
    expect(inputTokensMax({ prompt, model, kind: 'openaiCompatible' })).toBeGreaterThan(
      inputTokensMax({ prompt, model, kind: 'openai' }),
    );
  });
});
