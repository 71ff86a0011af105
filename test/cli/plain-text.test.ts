import { expect, test } from 'vitest';
import { plainLine, plainText } from '../../src/cli/plain-text.ts';

test('letters and emoji that are joined stay as they are', () => {
  for (const text of ['می‌خواهم', '👩‍👩‍👧', 'soft­hyphen', 'one\n\ttwo']) expect(plainText(text)).toBe(text);
  expect(plainLine('می‌خواهم')).toBe('می‌خواهم');
});

test('nothing commands a terminal, and no text is read in another order than it stands', () => {
  expect(plainText('\u001b[2J\u009b\u0000\u007f\u202e\u2066')).toBe('?[2J?????');
  expect(plainText('one\r\ntwo')).toBe('one\ntwo');
  expect(plainText('safe\rover')).toBe('safeover');
  expect(plainLine('a\nb\tc\u202e')).toBe('a?b?c?');
});
