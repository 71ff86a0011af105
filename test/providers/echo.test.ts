import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ECHO, textsIn, withoutEchoes } from '../../src/providers/echo.ts';
import { redact } from '../../src/providers/redact.ts';

const PROMPT = 'My password is swordfish-77, keep it to yourself.';

test.each([
  [`Invalid prompt: '${PROMPT}' was refused`, "Invalid prompt: '[prompt]' was refused"],
  ['refused: My password is sword… (cut)', 'refused: [prompt]… (cut)'],
  ['a word of it, password, may stand', 'a word of it, password, may stand'],
  [`${PROMPT}${PROMPT}`, '[prompt][prompt]'],
  ['The model does not exist', 'The model does not exist'],
])('%s', (text, kept) => {
  expect(withoutEchoes(text, ['something else', PROMPT])).toBe(kept);
});

test('no run of twenty characters of what was said survives, wherever and however often it stands', () => {
  const text = fc.string({ unit: fc.constantFrom(...'ab \u{1F600}'), maxLength: 120 });
  const property = fc.property(text, fc.array(text, { maxLength: 4 }), (said, around) => {
    const kept = withoutEchoes(around.join(said), [said]);
    const runs = Array.from({ length: Math.max(0, said.length - ECHO.charsMin + 1) }, (_none, at) =>
      said.slice(at, at + ECHO.charsMin),
    );
    expect(runs.filter((run) => kept.includes(run))).toEqual([]);
  });
  fc.assert(property, { numRuns: 2_000 });
});

test('a text that nobody said stays as it is', () => {
  const property = fc.property(fc.string(), fc.string(), (text, said) => {
    fc.pre(said.length < ECHO.charsMin);
    expect(withoutEchoes(text, [said])).toBe(text);
  });
  fc.assert(property);
});

test('other white space does not hide an echo', () => {
  const said = ['first line of a secret\n\n\tsecond line of it'];
  expect(redact('bad: first line of a secret second line of it', { secrets: [], said })).toBe('bad: [prompt]');
});

test('everything that a caller writes is found, however deep it stands', () => {
  const value = {
    messages: [{ parts: [{ text: 'a' }] }],
    tools: { list: [{ parameters: { enum: ['b', null, 3] } }] },
    stop: ['c'],
  };
  expect(textsIn(value)).toEqual(['a', 'b', 'c']);
});
