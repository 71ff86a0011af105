import { expect, test } from 'vitest';
import { providerKey } from '../../src/core/ids.ts';
import { ask, type Service, startService } from '../http/running-server.ts';

const CHAT = 'mutation ($input: ChatInput!) { chat(input: $input) { __typename } }';

async function chatTimes(service: Service, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    await ask(service, CHAT, {
      input: { prompt: `hi ${index}`, userId: `user-${index}`, metadata: { team: index % 2 === 0 ? 'even' : 'odd' } },
    });
    service.gateway.clock.advance(1_000);
  }
}

const PAGE = `query ($first: Int, $after: String, $last: Int, $before: String, $filter: RequestFilter, $orderBy: RequestOrder) {
  requests(first: $first, after: $after, last: $last, before: $before, filter: $filter, orderBy: $orderBy) {
    nodes { userId } edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`;

function usersOf(answer: Awaited<ReturnType<typeof ask>>): readonly string[] {
  return answer.data.requests.nodes.map((node: { userId: string }) => node.userId);
}

test('the log is read page by page, newest first, in both directions', async () => {
  await using service = await startService();
  await chatTimes(service, 5);
  const first = await ask(service, PAGE, { first: 2 });
  expect(usersOf(first)).toEqual(['user-4', 'user-3']);
  expect(first.data.requests.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
  const { endCursor } = first.data.requests.pageInfo;
  expect(endCursor).toBe(first.data.requests.edges[1].cursor);

  const second = await ask(service, PAGE, { first: 2, after: endCursor });
  expect(usersOf(second)).toEqual(['user-2', 'user-1']);
  const back = await ask(service, PAGE, { last: 2, before: second.data.requests.pageInfo.startCursor });
  expect(usersOf(back)).toEqual(['user-4', 'user-3']);
  expect(usersOf(await ask(service, PAGE, { last: 1 }))).toEqual(['user-0']);
  expect(usersOf(await ask(service, PAGE))).toHaveLength(5);
  expect(usersOf(await ask(service, PAGE, { orderBy: { field: 'CREATED_AT', direction: 'ASC' }, first: 1 }))).toEqual([
    'user-0',
  ]);
});

test('an empty page has no cursors', async () => {
  await using service = await startService();
  const { data } = await ask(service, PAGE);
  expect(data.requests).toEqual({
    nodes: [],
    edges: [],
    pageInfo: { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null },
  });
});

test.each([
  [{ userId: 'user-1' }, ['user-1']],
  [{ status: ['FAILED', 'REFUSED'] }, []],
  [{ providerId: ['prov_openai'], modelName: ['gpt-5.1'], category: ['CODE'] }, ['user-2', 'user-1', 'user-0']],
  [{ providerId: ['google'] }, []],
  [{ metadata: { team: 'even' } }, ['user-2', 'user-0']],
  [{ window: { last: '2s' } }, ['user-2', 'user-1']],
  [{ window: { between: { from: '2026-01-01T00:00:00Z', to: '2026-01-01T00:00:01Z' } } }, ['user-0']],
  [{ minCostUsd: '0.02' }, []],
  [{ minCostUsd: 0.01, minTotalMs: 200, fellBack: false }, ['user-2', 'user-1', 'user-0']],
])('the filter %j keeps what it says', async (filter, users) => {
  await using service = await startService();
  await chatTimes(service, 3);
  expect(usersOf(await ask(service, PAGE, { filter }))).toEqual(users);
});

test.each([
  [{ first: 1, last: 1 }, /not both/],
  [{ after: 'a', before: 'b' }, /not both/],
  [{ first: 1, before: 'b' }, /`before` goes with `last`/],
  [{ last: 1, after: 'a' }, /`after` goes with `first`/],
  [{ first: 0 }, /`first` must be from 1 to 200, got 0/],
  [{ first: 201 }, /`first` must be from 1 to 200/],
  [{ last: -1 }, /`last` must be from 1 to 200/],
  [{ after: 'of another list' }, /no such cursor/],
  [{ filter: { userId: '' } }, /`userId` must have 1 to 200 characters/],
  [{ filter: { userId: '\u0000' } }, /cannot be stored/],
  [{ filter: { metadata: ['x'] } }, /`metadata` must be an object/],
  [{ filter: { metadata: { team: 1 } } }, /`metadata.team` must be a text/],
  [{ filter: { window: { last: '401d' } } }, /at most 400 days/],
  [{ filter: { window: { between: { from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z' } } } }, /later than/],
])('%j is refused as invalid input, with what to do instead', async (variables, message) => {
  await using service = await startService();
  const { errors, status } = await ask(service, PAGE, variables);
  expect(status).toBe(200);
  expect(errors).toMatchObject([{ message: expect.stringMatching(message), extensions: { code: 'INVALID_INPUT' } }]);
});

test('a request is found by the id of its answer, and an unknown id is nobody', async () => {
  await using service = await startService();
  const chat = await ask(service, CHAT, {
    input: { prompt: 'hi', userId: 'alice', conversationId: 'c1', metadata: { team: 'search' } },
  });
  const id = chat.headers.get('x-request-id');
  const query = `query ($id: ID!) { request(id: $id) { id createdAt status door streamed userId modelRequested modelName provider { key }
    routing { summary } usage { totalTokens } cost { totalUsd } timing { totalMs } finishReason error { code } metadata conversationId } }`;
  expect((await ask(service, query, { id })).data.request).toEqual({
    id,
    createdAt: '2026-01-01T00:00:00.000Z',
    status: 'SUCCEEDED',
    door: 'GRAPHQL',
    streamed: false,
    userId: 'alice',
    modelRequested: 'auto',
    modelName: 'gpt-5.1',
    provider: { key: 'openai' },
    routing: { summary: 'openai/gpt-5.1 answered a code prompt; best of 1, 1 refused.' },
    usage: { totalTokens: 15 },
    cost: { totalUsd: '0.0123' },
    timing: { totalMs: 212 },
    finishReason: 'STOP',
    error: null,
    metadata: { team: 'search' },
    conversationId: 'c1',
  });
  for (const unknown of ['req_01980000-0000-7000-8000-000000000000', 'req_nonsense', 'prov_openai', '']) {
    expect((await ask(service, query, { id: unknown })).data).toEqual({ request: null });
  }
});

test('a request whose provider left the registry is still readable', async () => {
  await using service = await startService();
  await ask(service, CHAT, { input: { prompt: 'hi' } });
  service.gateway.clock.advance(1_000);
  const [record] = service.gateway.records;
  service.gateway.records[0] = {
    ...record!,
    provider: providerKey('gone'),
    routing: { ...record!.routing, attempts: [] },
  };
  const known = await ask(
    service,
    '{ requests(first: 1) { nodes { provider { id key displayName enabled health models { id } simulation { mode } stats { requests } } } } }',
  );
  expect(known.data.requests.nodes).toEqual([
    {
      provider: {
        id: 'prov_gone',
        key: 'gone',
        displayName: 'gone',
        enabled: false,
        health: 'DISABLED',
        models: [],
        simulation: null,
        stats: { requests: 1 },
      },
    },
  ]);
  const unknown = await ask(service, '{ requests { nodes { provider { breaker { state } } } } }');
  expect(unknown.errors).toMatchObject([
    { message: expect.stringContaining('"gone" is no longer in the registry'), extensions: { code: 'NOT_FOUND' } },
  ]);
});
