import { expect, test } from 'vitest';
import { raw } from './raw.ts';
import { ask, startService } from './running-server.ts';

const ID = /^req_[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const CHAT = 'mutation Hello($input: ChatInput!) { chat(input: $input) { __typename } }';

test('every answer names its request, whoever gives it', async () => {
  await using service = await startService();
  const seen = new Set<string>();
  for (const path of ['/', '/livez', '/readyz', '/nowhere', '/graphql', '/graphql?query=%7B__typename%7D']) {
    const { headers } = await raw(service, { method: 'GET', path });
    expect(headers['x-request-id']).toMatch(ID);
    seen.add(String(headers['x-request-id']));
  }
  expect(seen.size).toBe(6);
});

test('the answer, the log of requests and the log line carry one id; the caller keeps theirs beside it', async () => {
  await using service = await startService();
  const { headers, extensions } = await ask(
    service,
    CHAT,
    { input: { prompt: 'my secret prompt' } },
    { headers: { 'x-request-id': 'trace/42' } },
  );
  const id = headers.get('x-request-id');
  expect(id).toMatch(ID);
  expect(extensions.gateway?.requestId).toBe(id);
  expect(service.gateway.records.map((record) => `req_${record.id}`)).toEqual([id]);
  expect(service.log).toMatchObject([
    {
      level: 'info',
      msg: 'operation',
      requestId: id,
      clientRequestId: 'trace/42',
      door: 'http',
      operation: 'Hello',
      kind: 'mutation',
      status: 200,
      errors: 0,
      durationMs: expect.any(Number),
    },
  ]);
  expect(JSON.stringify(service.log)).not.toContain('my secret prompt');
});

test.each(['x'.repeat(129), 'a b', '{"level":"fatal"}', '<script>'])(
  'a name that is not safe to write down (%j) is not',
  async (name) => {
    await using service = await startService();
    await ask(service, '{ __typename }', {}, { headers: { 'x-request-id': name } });
    expect(service.log).toHaveLength(1);
    expect(service.log[0]).not.toHaveProperty('clientRequestId');
  },
);

test('the name of an operation is cut, and a document that is none has no name', async () => {
  await using service = await startService();
  await ask(service, `query ${'N'.repeat(200)} { __typename }`);
  await ask(service, '{');
  expect(service.log).toMatchObject([
    { operation: 'N'.repeat(100), kind: 'query' },
    { operation: null, kind: null, status: 400, errors: 1 },
  ]);
});

test('a bug is masked, and found in the log under the id that its caller was given', async () => {
  await using service = await startService();
  service.gateway.onSurvey = () => {
    throw new TypeError('cannot read password of undefined');
  };
  const { status, headers, data, errors } = await ask(service, '{ gateway { version } providers { key health } }');
  const id = headers.get('x-request-id');
  expect(status).toBe(200);
  expect(data).toBeNull();
  expect(errors).toEqual([
    {
      message: 'Unexpected error.',
      path: ['providers', 0, 'health'],
      locations: expect.anything(),
      extensions: { code: 'INTERNAL', requestId: id },
    },
  ]);
  const told = service.log.filter((line) => line.level === 'error');
  expect(told[0]).toMatchObject({
    msg: 'unexpected error',
    requestId: id,
    error: 'cannot read password of undefined',
    stack: expect.stringContaining('request-id.test.ts'),
  });
});
