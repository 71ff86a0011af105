import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MESSAGE_LIMITS, redact } from '../../src/providers/redact.ts';

describe('what a provider said is kept without secrets', () => {
  test.each([
    [
      'Incorrect API key provided: sk-abcd1234****wxyz. Find it at…',
      'Incorrect API key provided: [secret] Find it at…',
    ],
    ['bad header "Authorization: Bearer abc.def-ghi"', 'bad header "Authorization: Bearer [secret]"'],
    ['GET https://x.test/v1?alt=sse&key=AIzaSyA1234567890&b=1', 'GET https://x.test/v1?alt=sse&key=[secret]&b=1'],
    ['x-goog-api-key: abcdef', 'x-goog-api-key: [secret]'],
    ['{"x-api-key":"abcdef"}', '{"x-api-key":"[secret]"}'],
    ['the key AIzaSyA1234567890_-x is leaked', 'the key [secret] is leaked'],
    ['gsk_0123456789abcdef and xai-0123456789abcdef', '[secret] and [secret]'],
    ['a task-based, risk-free answer', 'a task-based, risk-free answer'],
  ])('%s', (text, kept) => {
    expect(redact(text, { secrets: [], said: [] })).toBe(kept);
  });

  test('a message is one line of at most 500 characters', () => {
    const kept = redact(`one\n\ttwo\u2028three\u0000four ${'x'.repeat(10_000)}`, { secrets: [], said: [] });
    expect(kept.startsWith('one two three four x')).toBe(true);
    expect(kept).toHaveLength(MESSAGE_LIMITS.charsMax);
    expect(kept.endsWith('…')).toBe(true);
  });

  test('a cut never leaves half a character', () => {
    expect(redact('😀'.repeat(400), { secrets: [], said: [] }).isWellFormed()).toBe(true);
  });

  test('no secret survives, whole, escaped or cut, wherever it stands', () => {
    const key = fc.string({
      unit: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/=_-'),
      minLength: 8,
      maxLength: 120,
    });
    const text = fc.string({ unit: 'binary', maxLength: 600 });
    const property = fc.property(
      key,
      fc.array(text, { minLength: 2, maxLength: 5 }),
      fc.boolean(),
      (secret, texts, isEscaped) => {
        const kept = redact(texts.join(isEscaped ? encodeURIComponent(secret) : secret), {
          secrets: [secret],
          said: [],
        });
        expect(kept).not.toContain(secret);
        expect(kept).not.toContain(encodeURIComponent(secret));
        expect(kept.length).toBeLessThanOrEqual(MESSAGE_LIMITS.charsMax);
      },
    );
    fc.assert(property, { numRuns: 2_000 });
  });

  test('a secret that contains another one goes as a whole', () => {
    expect(redact('got abcdefgh-ijklmnop', { secrets: ['abcdefgh', 'abcdefgh-ijklmnop'], said: [] })).toBe(
      'got [secret]',
    );
  });
});
