import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isSameDigest, KEY_RANDOM_BYTES, makeKeyText, parseKeyId, parseKeyText } from '../../src/core/key-text.ts';

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const numberOf = (text: string) => [...text].reduce((sum, digit) => sum * 62n + BigInt(DIGITS.indexOf(digit)), 0n);
const bytes = (count: number) => fc.uint8Array({ minLength: count, maxLength: count });
const texts = fc
  .record({ id: bytes(KEY_RANDOM_BYTES.id), secret: bytes(KEY_RANDOM_BYTES.secret) })
  .map((random) => makeKeyText(random));

test('a key can be read again, and looks as it is documented', () => {
  fc.assert(
    fc.property(texts, ({ id, text }) => {
      expect(text).toMatch(/^sy_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/);
      expect(parseKeyText(text)).toBe(id);
    }),
  );
});

test('the secret holds all of its 256 bits: other bytes are another text', () => {
  const ends = [0x00, 0xff].map((byte) => new Uint8Array(KEY_RANDOM_BYTES.secret).fill(byte));
  const id = new Uint8Array(KEY_RANDOM_BYTES.id);
  const [lowest = '', highest = ''] = ends.map((secret) => makeKeyText({ id, secret }).text.slice(16, 59));
  expect(numberOf(lowest)).toBe(0n);
  expect(numberOf(highest)).toBe(2n ** 256n - 1n);
});

test('one wrong character, a missing or an added one make it no key at all', () => {
  fc.assert(
    fc.property(texts, fc.nat(64), fc.constantFrom('0', 'a', 'Z', '_', ' ', 'é'), ({ text }, at, other) => {
      fc.pre(text[at] !== other);
      expect(parseKeyText(text.slice(0, at) + other + text.slice(at + 1))).toBeNull();
      expect(parseKeyText(text.slice(0, at) + text.slice(at + 1))).toBeNull();
      expect(parseKeyText(text.slice(0, at) + other + text.slice(at))).toBeNull();
    }),
  );
});

test('the checksum is the CRC-32 that others know', () => {
  fc.assert(
    fc.property(texts, ({ text }) => {
      expect(numberOf(text.slice(-6))).toBe(BigInt(crc32(text.slice(0, -6))));
    }),
  );
});

test.each(['', 'sy_', 'sk-something', 'sy__', `sy_${'a'.repeat(12)}_${'a'.repeat(49)}`])('"%s" is no key', (text) => {
  expect(parseKeyText(text)).toBeNull();
});

test('a key is named by its id in each of its spellings', () => {
  const id = 'abcdefABCDEF';
  expect([id, `key_${id}`, `sy_${id}`].map(parseKeyId)).toEqual([id, id, id]);
  expect(['', 'abc', `key_${id}0`, `key_${id.slice(1)}\0`, `sy_${id}_secret`].map(parseKeyId)).toEqual(
    Array(5).fill(null),
  );
});

test('digests are the same only when every digit is', () => {
  fc.assert(fc.property(fc.string(), fc.string(), (one, other) => isSameDigest(one, other) === (one === other)));
  expect(isSameDigest('', '')).toBe(true);
});
