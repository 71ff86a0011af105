import { expect, test } from 'vitest';
import { ANONYMOUS, requestId, userAccount } from '../../src/core/ids.ts';
import { makeSeal } from '../../src/wiring/seal.ts';

const ann = userAccount('ann');
const KEY = { account: ann, key: '7f3c9a1e-poem' };
const [ONE, OTHER] = [
  requestId('00000000-0000-7000-8000-000000000001'),
  requestId('00000000-0000-7000-8000-000000000002'),
];
const ANSWER = JSON.stringify({ text: 'On rails. \u{1F682} \ud83d', lines: 'a\0b' });

test('what was closed is opened by everybody who makes the same seal, as it was', () => {
  const sealed = makeSeal(KEY).close(ONE, ANSWER);
  expect(makeSeal(KEY).open(ONE, sealed)).toBe(ANSWER);
  expect(makeSeal(KEY).open(ONE, makeSeal(KEY).close(ONE, ''))).toBe('');
});

test('another key, another account and another request open nothing, and nor does a text that was changed', () => {
  const sealed = makeSeal(KEY).close(ONE, ANSWER);
  const changed = Buffer.from(sealed, 'base64').map((byte, at) => (at === 20 ? byte ^ 1 : byte));
  const tries = [
    () => makeSeal({ ...KEY, key: '7f3c9a1e-poem2' }).open(ONE, sealed),
    () => makeSeal({ ...KEY, account: ANONYMOUS }).open(ONE, sealed),
    () => makeSeal(KEY).open(OTHER, sealed),
    () => makeSeal(KEY).open(ONE, Buffer.from(changed).toString('base64')),
    () => makeSeal(KEY).open(ONE, sealed.slice(0, 20)),
    () => makeSeal(KEY).open(ONE, ANSWER),
    () => makeSeal(KEY).open(ONE, ''),
  ];
  for (const open of tries) expect(open).toThrow();
});

test('the name and the digest are always the same, are those of nobody else, and say nothing of key or text', () => {
  const seals = [KEY, { ...KEY, key: 'another' }, { ...KEY, account: ANONYMOUS }].map(makeSeal);
  expect(makeSeal(KEY).name).toBe(seals[0]?.name);
  expect(makeSeal(KEY).digest('hello')).toBe(seals[0]?.digest('hello'));
  const said = seals.flatMap(({ name, digest }) => [name, digest('hello'), digest('hello!')]);
  expect(new Set(said).size).toBe(9);
  for (const text of said) expect(text).toMatch(/^[0-9a-f]{64}$/);
});

test('the same text is never the same twice', () => {
  const seal = makeSeal(KEY);
  expect(seal.close(ONE, ANSWER)).not.toBe(seal.close(ONE, ANSWER));
});
