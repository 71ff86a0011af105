import { expect, test } from 'vitest';
import { cancelled, idempotencyConflict, timedOut } from '../../src/core/ended.ts';
import { requestId } from '../../src/core/ids.ts';
import type { NotRun } from '../../src/core/outcome.ts';
import { answered } from '../fakes/gateway-data.ts';
import { ask, startService } from '../http/running-server.ts';

const CHAT = `mutation Chat($input: ChatInput!) { chat(input: $input) { __typename
  ... on ChatSuccess { replayed content request { id status } }
  ... on ApiError { code message retryable retryAfterMs requestId }
  ... on TimedOutError { timeoutMs } } }`;
const INPUT = { prompt: 'hi', idempotencyKey: 'k-1' };
const FIRST = requestId('01980000-0000-7000-8000-000000000001');

function notRun(why: NotRun['why']): () => NotRun {
  return () => ({ kind: 'notRun', requestId: FIRST, why });
}

test('the key reaches the gateway, and an answer says whether it was told before', async () => {
  await using service = await startService();
  let key: string | null = null;
  service.gateway.onChat = (call) => {
    key = call.request.idempotencyKey;
    return answered(call, service.gateway.now());
  };
  expect((await ask(service, CHAT, { input: INPUT })).data.chat).toMatchObject({ replayed: false });
  expect(key).toBe('k-1');
  service.gateway.onChat = (call) => ({ ...answered(call, service.gateway.now()), isReplayed: true });
  expect((await ask(service, CHAT, { input: INPUT })).data.chat).toMatchObject({ replayed: true });
});

test('an answer that is told again belongs to the request that was recorded, not to the one that asked again', async () => {
  await using service = await startService();
  const first = await ask(service, CHAT, { input: INPUT });
  const [record] = service.gateway.records;
  service.gateway.onChat = (call) => ({
    ...answered(call, service.gateway.now()),
    requestId: record!.id,
    isReplayed: true,
  });
  const again = await ask(service, CHAT, { input: INPUT });
  expect(again.data.chat.request).toEqual(first.data.chat.request);
  expect(again.headers.get('x-request-id')).not.toBe(first.data.chat.request.id);
});

test('another input under the same key is told whose key it is, and that no retry helps', async () => {
  await using service = await startService();
  service.gateway.onChat = notRun(idempotencyConflict());
  expect((await ask(service, CHAT, { input: INPUT })).data.chat).toEqual({
    __typename: 'IdempotencyConflictError',
    code: 'IDEMPOTENCY_CONFLICT',
    message: expect.stringContaining('Send a new key'),
    retryable: false,
    retryAfterMs: null,
    requestId: `req_${FIRST}`,
  });
});

test('a wait that was too long is told as a time limit, with the request that was waited for', async () => {
  await using service = await startService();
  service.gateway.onChat = notRun(timedOut({ startedAtMs: 0, timeoutMs: 500 }));
  expect((await ask(service, CHAT, { input: INPUT })).data.chat).toMatchObject({
    __typename: 'TimedOutError',
    code: 'TIMED_OUT',
    retryable: true,
    timeoutMs: 500,
    requestId: `req_${FIRST}`,
  });
  service.gateway.onChat = notRun(cancelled());
  expect((await ask(service, CHAT, { input: INPUT })).errors).toMatchObject([{ extensions: { code: 'CANCELLED' } }]);
});

test('a key that cannot be one is refused with its place, by chat and by routePreview', async () => {
  await using service = await startService();
  const input = { prompt: 'hi', idempotencyKey: '' };
  const query = `mutation ($input: ChatInput!) { chat(input: $input) { ... on InvalidInputError { issues { path message } } } }`;
  expect((await ask(service, query, { input })).data.chat.issues).toEqual([
    { path: ['idempotencyKey'], message: 'must have 1 to 255 printable ASCII characters; a random UUID is a good one' },
  ]);
  const preview = 'query ($input: ChatInput!) { routePreview(input: $input) { estimatedInputTokens } }';
  expect((await ask(service, preview, { input })).errors).toMatchObject([{ extensions: { code: 'INVALID_INPUT' } }]);
});
