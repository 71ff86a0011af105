import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fingerprintOf } from '../../src/core/fingerprint.ts';
import { picoUsd } from '../../src/core/money.ts';
import { parseChat } from '../../src/core/parse-chat.ts';
import type { RawChat } from '../../src/core/raw-chat.ts';
import { makeModel, makeProvider, makeRegistry } from '../support/registries.ts';

const REGISTRY = makeRegistry(
  makeProvider('openai', [makeModel('gpt-5.1', '20', { aliases: ['smart'] })]),
  makeProvider('google', [makeModel('gemini-pro', '15')]),
);

function fingerprint(raw: RawChat): string {
  const parsed = parseChat(raw, REGISTRY);
  if (parsed.kind !== 'valid') throw new RangeError(JSON.stringify(parsed.issues));
  return fingerprintOf(parsed.request);
}

/** One other value for every field that a caller may send. */
const CHANGES: readonly RawChat[] = [
  { prompt: 'hello ' },
  { system: 'be brief' },
  { model: 'smart' },
  { fallbackModels: ['gpt-5.1'] },
  { maxOutputTokens: 100 },
  { temperature: 0 },
  { topP: 0.5 },
  { stop: ['end'] },
  { seed: 1 },
  { reasoningEffort: 'low' },
  { maxCostUsd: picoUsd(1n) },
  { userId: 'ann' },
  { conversationId: 'c' },
  { metadata: { team: 'search' } },
  { metadata: { team: 'ads' } },
  { routing: { order: ['google'] } },
  { routing: { only: ['google'] } },
  { routing: { ignore: ['openai'] } },
  { routing: { sort: 'price' } },
  { routing: { allowFallbacks: false } },
  { routing: { maxAttempts: 2 } },
  { routing: { requireParameters: false } },
  { routing: { maxPrice: { inputUsdPerMillion: picoUsd(1_000_000n) } } },
  { routing: { maxPrice: { outputUsdPerMillion: picoUsd(1_000_000n) } } },
  { routing: { maxLatencyMs: 100 } },
  { routing: { category: 'code' } },
];

describe('what is asked', () => {
  test('differs as soon as one field does', () => {
    const all = [{}, ...CHANGES].map((change) => fingerprint({ prompt: 'hello', ...change }));
    expect(new Set(all).size).toBe(all.length);
  });

  test.each<readonly [what: string, one: RawChat, other: RawChat]>([
    ['another key', { idempotencyKey: 'a' }, { idempotencyKey: 'b' }],
    ['more patience', { timeoutMs: 1_000 }, { timeoutMs: 60_000 }],
    ['a default that is said', {}, { model: 'auto', stop: [], routing: { allowFallbacks: true, maxAttempts: 3 } }],
    ['null for what is not said', {}, { system: null, temperature: null, metadata: null, routing: null }],
    ['a provider by its global id', { routing: { only: ['google'] } }, { routing: { only: ['prov_google'] } }],
    ['labels in another order', { metadata: { a: '1', b: '2' } }, { metadata: { b: '2', a: '1' } }],
  ])('is the same with %s', (_what, one, other) => {
    expect(fingerprint({ prompt: 'hello', ...one })).toBe(fingerprint({ prompt: 'hello', ...other }));
  });

  test('is the same for a prompt and for the one message it stands for', () => {
    expect(fingerprint({ prompt: 'hello' })).toBe(fingerprint({ messages: [{ role: 'user', content: 'hello' }] }));
  });

  test('is the same exactly when the texts are, whatever they hold', () => {
    const texts = fc.string({ unit: 'binary', minLength: 1, maxLength: 4 }).filter((text) => text.trim() !== '');
    const labels = fc.dictionary(fc.constantFrom('__proto__', 'constructor', '1', 'b'), fc.constantFrom('x', 'y'));
    const raws = fc.record({ prompt: texts, system: fc.option(texts, { nil: undefined }), metadata: labels });
    fc.assert(
      fc.property(raws, raws, (one, other) => {
        const isSame = JSON.stringify(sortedOf(one)) === JSON.stringify(sortedOf(other));
        expect(fingerprint(one) === fingerprint(other)).toBe(isSame);
      }),
    );
  });
});

function sortedOf({ prompt, system, metadata }: RawChat): unknown {
  return [prompt, system ?? null, Object.entries(metadata ?? {}).toSorted()];
}
