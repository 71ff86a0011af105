import { expect, test } from 'vitest';
import { ask, startService } from '../http/running-server.ts';
import { makeRecord } from '../support/request-records.ts';

const CANCEL = `mutation ($requestId: ID!) { cancelChat(input: {requestId: $requestId}) { __typename
  ... on CancelChatSuccess { request { id status } } ... on NotFoundError { code message requestId } } }`;

const ID = '01980000-0000-7000-8000-000000000001';

test('a chat that is stopped is answered as it ended', async () => {
  await using service = await startService();
  service.gateway.records.push(makeRecord(1, { status: 'cancelled' }));
  const { data } = await ask(service, CANCEL, { requestId: `req_${ID}` });
  expect(data.cancelChat).toEqual({
    __typename: 'CancelChatSuccess',
    request: { id: `req_${ID}`, status: 'CANCELLED' },
  });
});

test.each([`req_${ID}`, 'prov_openai', ''])('to stop "%s", which is no request, says so', async (requestId) => {
  await using service = await startService();
  const { data } = await ask(service, CANCEL, { requestId });
  expect(data.cancelChat).toMatchObject({ __typename: 'NotFoundError', code: 'NOT_FOUND', requestId: null });
});
