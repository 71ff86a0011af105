import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test, vi } from 'vitest';
import { EFFORTS } from '../../src/core/prompt.ts';
import { fieldAt } from '../../src/providers/json-field.ts';
import { BASE_URLS, type SdkKind } from '../../src/providers/vendor.ts';
import { API_KEY, callOf, MODEL_NAMES, makeProvider, modelNamed, promptOfText, SDK_KINDS } from './upstream.ts';
import { ANSWERS, answerIn, modelOf, send } from './wire.ts';

const PLACES = {
  openai: { url: 'http://upstream.test/v1/chat/completions', limit: ['max_completion_tokens'] },
  anthropic: { url: 'http://upstream.test/v1/messages', limit: ['max_tokens'] },
  gemini: {
    url: 'http://upstream.test/v1beta/models/gemini-2.5-pro:generateContent',
    limit: ['generationConfig', 'maxOutputTokens'],
  },
  openaiCompatible: { url: 'http://upstream.test/v1/chat/completions', limit: ['max_tokens'] },
} as const satisfies Record<SdkKind, object>;

describe.each(SDK_KINDS)('%s: what is sent', (kind) => {
  test('one request goes to the vendor’s path, follows no redirect and carries the key', async () => {
    const { sent } = await send(kind);
    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatchObject({ url: PLACES[kind].url, redirect: 'error' });
    expect([...sent[0]!.headers.values()].join()).toContain(API_KEY);
  });

  test('the output limit is the one the money covers, with every effort and every size', async () => {
    for (const reasoningEffort of [null, ...EFFORTS]) {
      for (const maxOutputTokens of [16, 1_000, 2_048, 8_192]) {
        const prompt = promptOfText('hello', { reasoningEffort });
        const { sent } = await send(kind, { maxOutputTokens, prompt });
        expect(fieldAt(sent[0]!.body, ...PLACES[kind].limit)).toBe(maxOutputTokens);
      }
    }
  });

  test('a parameter the model does not support is not sent, and the answer says so', async () => {
    const prompt = promptOfText('hello', {
      temperature: 0.5,
      topP: 0.9,
      stop: ['END'],
      seed: 7,
      reasoningEffort: 'low',
    });
    const unsupportedParameters = ['temperature', 'topP', 'stop', 'seed', 'reasoningEffort'] as const;
    const { sent, result } = await send(kind, { prompt, model: modelOf(kind, { unsupportedParameters }) });
    expect(JSON.stringify(sent[0]!.body)).not.toMatch(/temperature|top_?p|stop|seed|reasoning|thinking|effort/i);
    expect(answerIn(result).warnings).toEqual(
      unsupportedParameters.map((name) => `${name} was not sent: ${MODEL_NAMES[kind]} does not support it.`),
    );
  });

  test('without a wish there is no warning and nothing beside the messages and the limit', async () => {
    const { sent, result } = await send(kind);
    expect(JSON.stringify(sent[0]!.body)).not.toMatch(/temperature|top_?p|stop|seed|reasoning|thinking|effort/i);
    expect(answerIn(result).warnings).toEqual([]);
  });
});

describe('parameters reach the vendor under its own names', () => {
  const wishes = { temperature: 0.5, topP: 0.9, stop: ['END'], seed: 7 };

  test('openaiCompatible', async () => {
    const { sent } = await send('openaiCompatible', {
      prompt: promptOfText('x', { ...wishes, reasoningEffort: 'high' }),
    });
    const expected = { temperature: 0.5, top_p: 0.9, stop: ['END'], seed: 7, reasoning_effort: 'high' };
    expect(sent[0]!.body).toMatchObject(expected);
  });

  test('gemini', async () => {
    const { sent } = await send('gemini', { prompt: promptOfText('x', wishes) });
    const generationConfig = { temperature: 0.5, topP: 0.9, stopSequences: ['END'], seed: 7 };
    expect(sent[0]!.body).toMatchObject({ generationConfig });
  });

  test('anthropic takes no seed, and only one of temperature and topP: the answer says so', async () => {
    const { sent, result } = await send('anthropic', { prompt: promptOfText('x', wishes) });
    expect(sent[0]!.body).toMatchObject({ temperature: 0.5, stop_sequences: ['END'] });
    expect(answerIn(result).warnings.join('\n')).toMatch(/seed was not sent[\s\S]*topP was not sent/);
  });

  test('openai drops temperature for a reasoning model, and the answer says so', async () => {
    const { sent, result } = await send('openai', { prompt: promptOfText('x', { ...wishes, reasoningEffort: 'low' }) });
    expect(sent[0]!.body).toMatchObject({ reasoning_effort: 'low', seed: 7, stop: ['END'] });
    expect(fieldAt(sent[0]!.body, 'temperature')).toBeUndefined();
    expect(answerIn(result).warnings.join('\n')).toContain('temperature was not sent');
  });
});

describe('Claude thinks within the output limit', () => {
  test('the budget is a share of the limit, and never below what Anthropic takes', async () => {
    const budgets: unknown[] = [];
    for (const reasoningEffort of EFFORTS) {
      const prompt = promptOfText('x', { reasoningEffort });
      const { sent } = await send('anthropic', { prompt, maxOutputTokens: 8_000 });
      budgets.push(fieldAt(sent[0]!.body, 'thinking', 'budget_tokens'));
    }
    expect(budgets).toEqual([1_024, 1_600, 4_000, 6_400]);
  });

  test('a limit too small for thinking leaves it out, and the answer says so', async () => {
    const prompt = promptOfText('x', { reasoningEffort: 'high' });
    const { sent, result } = await send('anthropic', { prompt, maxOutputTokens: 2_000 });
    expect(fieldAt(sent[0]!.body, 'thinking')).toBeUndefined();
    expect(answerIn(result).warnings).toEqual([
      'reasoningEffort was not sent: 2000 output tokens leave no room for thinking.',
    ]);
  });

  test('a model that decides by itself how much to think is given the effort', async () => {
    const prompt = promptOfText('x', { reasoningEffort: 'medium' });
    const { sent } = await send('anthropic', { prompt, model: modelNamed('claude-sonnet-5') });
    expect(sent[0]!.body).toMatchObject({ max_tokens: 1_000, output_config: { effort: 'medium' } });
  });
});

describe('what a package must not do', () => {
  test.each(['openai', 'anthropic', 'gemini'] as const)(
    '%s: no address or key is taken from the environment',
    async (kind) => {
      for (const name of ['OPENAI', 'ANTHROPIC', 'GOOGLE', 'GEMINI', 'GOOGLE_GENERATIVE_AI']) {
        vi.stubEnv(`${name}_BASE_URL`, 'http://elsewhere.test/v1');
        vi.stubEnv(`${name}_API_KEY`, 'from-the-environment');
      }
      const seen: string[] = [];
      const provider = await makeProvider(kind, '', {
        apiKey: null,
        baseUrl: null,
        fetch: async (input, init) => {
          seen.push(String(input), ...new Headers(init?.headers).values());
          return Response.json(ANSWERS[kind]);
        },
      });
      vi.unstubAllEnvs();
      await provider.call(callOf(kind), new AbortController().signal);
      expect(seen[0]!.startsWith(BASE_URLS[kind])).toBe(true);
      expect(seen.join()).not.toContain('from-the-environment');
    },
  );

  test('no package is loaded before a provider of its kind is made', () => {
    const folder = new URL('../../src/providers/', import.meta.url);
    const sources = readdirSync(folder).map((file) => readFileSync(new URL(file, folder), 'utf8'));
    const eager = sources.flatMap((source) => source.match(/^import (?!type ).*from '@ai-sdk\/.*$/gm) ?? []);
    expect(eager).toEqual([]);
  });
});
