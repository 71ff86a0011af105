import { expect, test } from 'vitest';
import { userAccount } from '../../../src/core/ids.ts';
import { PRICED } from '../../gateway/priced-registry.ts';
import { quiet } from '../../support/gateway-kit.ts';
import { chunksOf, EXPLAINED, openService, post, said } from './rest-kit.ts';

const STREAM = said('hello', { stream: true, user: 'ann', provider: { sort: 'price' } });
const KEY = { headers: { 'idempotency-key': 'once' } };

function textOf(body: string): string {
  return chunksOf(body)
    .map(({ choices }) => choices[0].delta.content ?? '')
    .join('');
}

test('a stream whose reader lost the connection is joined by its key: one call, one charge, all of the text', async () => {
  await using service = await openService({ registry: PRICED });
  const { kit } = service;
  const rest = Promise.withResolvers<string>();
  kit.provider('a').script({ kind: 'stream', pieces: ['Hel', rest.promise], after: { kind: 'answer' } });
  const leave = new AbortController();
  const first = await post(service, STREAM, { ...KEY, signal: leave.signal });
  const id = first.headers.get('x-request-id');
  leave.abort();
  await first.text().catch(() => 'gone');
  await quiet();

  const second = post(service, STREAM, KEY);
  const other = await post(service, said('other', { stream: true, user: 'ann' }), KEY);
  expect([other.status, JSON.parse(await other.text()).error]).toMatchObject([
    409,
    { code: 'idempotency_conflict', param: 'Idempotency-Key' },
  ]);
  rest.resolve('lo');
  const joined = await (await second).text();
  expect(textOf(joined)).toBe('Hello');
  expect(chunksOf(joined)[0].id).toBe(id);
  // Whoever sums what streams cost must not count it again.
  const again = await post(service, STREAM, { headers: { ...KEY.headers, ...EXPLAINED } });
  const toldAgain = await again.text();
  expect(textOf(toldAgain)).toBe('Hello');
  expect([first, await second, again].map(({ headers }) => headers.get('x-switchyard-replayed'))).toEqual([
    null,
    'true',
    'true',
  ]);
  expect(chunksOf(toldAgain).at(-1)).toMatchObject({ id, gateway: { replayed: true } });
  expect(kit.provider('a').calls).toHaveLength(1);
  expect(await kit.store.account(userAccount('ann'))).toMatchObject({ posted: 60_000_000n, held: 0n });
});

test('what was streamed is told whole, under the same key, to whoever asks without stream', async () => {
  await using service = await openService({ registry: PRICED });
  service.kit.provider('a').script({ kind: 'stream', pieces: ['Hel', 'lo'], after: { kind: 'answer' } });
  await (await post(service, STREAM, KEY)).text();
  const whole = await post(service, { ...STREAM, stream: false }, KEY);
  expect(whole.headers.get('x-switchyard-replayed')).toBe('true');
  expect(JSON.parse(await whole.text()).choices[0].message.content).toBe('answer of m-a');
  expect(service.kit.provider('a').calls).toHaveLength(1);
});
