import { describe, expect, test } from 'vitest';
import type { ImageDetail, Message } from '../../src/core/message.ts';
import type { ModelSpec } from '../../src/core/registry.ts';
import { fieldAt } from '../../src/providers/json-field.ts';
import type { SdkKind } from '../../src/providers/vendor.ts';
import { promptOfText, SDK_KINDS } from './upstream.ts';
import { answerIn, modelOf, send } from './wire.ts';

const TALK: readonly Message[] = [
  { role: 'system', parts: [{ kind: 'text', text: 'one' }] },
  { role: 'user', parts: [{ kind: 'text', text: 'two' }] },
  { role: 'assistant', parts: [{ kind: 'text', text: 'three' }], toolCalls: null },
  { role: 'developer', parts: [{ kind: 'text', text: 'four' }] },
  {
    role: 'user',
    parts: [
      { kind: 'text', text: 'five' },
      { kind: 'text', text: 'six' },
    ],
  },
];

describe('system messages in mid-conversation', () => {
  const prompt = { ...promptOfText(''), messages: TALK };

  test.each(['openai', 'openaiCompatible'] as const)('%s: stay where they are', async (kind) => {
    const { sent, result } = await send(kind, { prompt });
    const roles = fieldAt(sent[0]!.body, 'messages');
    const system = kind === 'openai' ? 'developer' : 'system';
    expect(roles).toMatchObject([system, 'user', 'assistant', system, 'user'].map((role) => ({ role })));
    expect(answerIn(result).warnings).toEqual([]);
  });

  test.each(['anthropic', 'gemini'] as const)('%s: move to the front, and the answer says so', async (kind) => {
    const { sent, result } = await send(kind, { prompt });
    const { body } = sent[0]!;
    const system = kind === 'anthropic' ? fieldAt(body, 'system') : fieldAt(body, 'systemInstruction', 'parts');
    expect(system).toMatchObject([{ text: 'one' }, { text: 'four' }]);
    expect(answerIn(result).warnings).toEqual([expect.stringContaining('System messages were moved')]);
  });
});

describe('images', () => {
  const kinds = SDK_KINDS;
  const reading = (kind: SdkKind): ModelSpec => modelOf(kind, { imageTokensMax: 1_600 });
  const withImage = (
    url: string,
    role: 'system' | 'user' | 'assistant' = 'user',
    detail: ImageDetail | null = null,
  ) => {
    const parts = [{ kind: 'text', text: 'what is this?' } as const, { kind: 'image', url, detail } as const];
    const message: Message = role === 'assistant' ? { role, parts, toolCalls: null } : { role, parts };
    return promptOfText('', { messages: [message] });
  };

  test.each(kinds)('%s: an https image is sent as its URL', async (kind) => {
    const { sent } = await send(kind, { prompt: withImage('https://img.test/a/cat.PNG?x=1'), model: reading(kind) });
    expect(JSON.stringify(sent[0]!.body)).toContain('https://img.test/a/cat.PNG?x=1');
  });

  test.each(['openai', 'openaiCompatible'] as const)('%s: is told how closely to look at one', async (kind) => {
    for (const url of ['https://img.test/cat.png', 'data:image/png;base64,aGk=']) {
      const { sent, result } = await send(kind, { prompt: withImage(url, 'user', 'low'), model: reading(kind) });
      const image = { type: 'image_url', image_url: { url, detail: 'low' } };
      expect(fieldAt(sent[0]!.body, 'messages', 0, 'content', 1)).toEqual(image);
      expect(answerIn(result).warnings).toEqual([]);
    }
  });

  test.each(['anthropic', 'gemini'] as const)('%s: takes no detail, and the answer says so', async (kind) => {
    const url = 'data:image/png;base64,aGk=';
    const told = async (detail: ImageDetail) => {
      const { result } = await send(kind, { prompt: withImage(url, 'user', detail), model: reading(kind) });
      return answerIn(result).warnings;
    };
    expect(await told('high')).toEqual(['The detail of images was not sent: this provider takes none.']);
    expect(await told('auto')).toEqual([]);
  });

  test('gemini is told the media type of a remote image from the ending of its path', async () => {
    const { sent } = await send('gemini', { prompt: withImage('https://img.test/cat.webp'), model: reading('gemini') });
    expect(JSON.stringify(sent[0]!.body)).toContain('image/webp');
  });

  test.each(kinds)('%s: a data URL is sent inline, encoded either way', async (kind) => {
    for (const url of ['data:image/png;base64,aGk=', 'data:image/png,hi']) {
      const { sent } = await send(kind, { prompt: withImage(url), model: reading(kind) });
      const text = JSON.stringify(sent[0]!.body);
      expect(text).toContain('aGk=');
      expect(text).toContain('image/png');
    }
  });

  test.each([
    ['http://img.test/cat.png', 'user', 'https URL or a data URL'],
    ['file:///etc/passwd', 'user', 'https URL or a data URL'],
    ['data:text/html;base64,aGk=', 'user', 'https URL or a data URL'],
    ['data:image/png;base64,', 'user', 'https URL or a data URL'],
    ['data:image/png,%zz', 'user', 'https URL or a data URL'],
    ['data:image/png', 'user', 'https URL or a data URL'],
    ['https://img.test/cat.png', 'assistant', 'only in user messages'],
    ['https://img.test/cat.png', 'system', 'only in user messages'],
  ] as const)('%s from %s is rejected before anything is sent', async (url, role, reason) => {
    const { sent, result } = await send('openai', { prompt: withImage(url, role), model: reading('openai') });
    expect(sent).toEqual([]);
    const failure = { kind: 'rejected', billed: 'nothing', message: expect.stringContaining(reason) };
    expect(result).toMatchObject({ kind: 'failed', failure });
  });

  test('a model that reads no images is not sent one in silence', async () => {
    const { sent, result } = await send('openai', { prompt: withImage('https://img.test/cat.png') });
    expect(sent).toEqual([]);
    expect(result).toMatchObject({ failure: { kind: 'rejected', message: 'gpt-5.1 reads no images.' } });
  });
});
