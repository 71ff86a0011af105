import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createSocketClient } from 'graphql-ws';
import postgres from 'postgres';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from '../support/eventually.ts';
import { type Service, startService } from '../support/running.ts';
import { makeDatabase } from '../support/store-database.ts';
import { openWay, type Way } from '../support/way.ts';

// The service as a process on a real PostgreSQL, its mocks slow enough to be interrupted, and clients as they come from npm.

const STREAM = `subscription Stream($input: ChatInput!) { chatStream(input: $input) { __typename
  ... on ChatStarted { sequence requestId routing { summary } }
  ... on ChatDelta { sequence content }
  ... on ChatCompleted { sequence result { content replayed cost { totalUsd } timing { timeToFirstTokenMs } } }
  ... on ChatFailed { sequence error { code message } costUsd } } }`;
const TEXT = 'Mock response from google: Write a short poem about trains...';
const INPUT = { prompt: 'Write a short poem about trains', userId: 'ann' };
/** A process is started for each test. */
const PATIENCE_MS = 90_000;
const SLOW = { MOCK_LATENCY_SCALE: '12' };

interface Event {
  readonly __typename: string;
  readonly sequence: number;
  readonly content?: string;
  readonly result?: { readonly content: string; readonly cost: { readonly totalUsd: string } };
  readonly error?: { readonly code: string };
}

let opened: AsyncDisposableStack;
let url: string;
let sql: postgres.Sql;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  url = opened.use(await makeDatabase()).url;
  sql = postgres(url, { max: 1 });
  opened.defer(() => sql.end());
});

afterEach(() => opened.disposeAsync());

async function start(env: Readonly<Record<string, string>> = SLOW): Promise<{ service: Service; way: Way }> {
  const service = opened.use(await startService({ DATABASE_URL: url, ...env }));
  return { service, way: opened.use(await openWay(service.url)) };
}

interface Subscribing {
  subscribe(
    payload: { query: string; variables: Record<string, unknown> },
    sink: { next(result: unknown): void; error(error: unknown): void; complete(): void },
  ): () => void;
}

/** Subscribes with a stock client, and keeps whatever it is told until it is over. */
function follow(client: Subscribing, input: object) {
  const events: Event[] = [];
  const over = Promise.withResolvers<void>();
  const next = (result: unknown) => {
    const { data } = result as { data?: { chatStream: Event } };
    if (data?.chatStream !== undefined) events.push(data.chatStream);
  };
  const leave = client.subscribe(
    { query: STREAM, variables: { input } },
    { next, error: over.reject, complete: over.resolve },
  );
  return { events, over: over.promise, leave };
}

const CLIENTS: readonly (readonly [name: string, connect: (url: string) => Subscribing])[] = [
  [
    'graphql-ws',
    (at) =>
      createSocketClient({
        url: at.replace('http', 'ws'),
        webSocketImpl: WebSocket,
        retryAttempts: 20,
        retryWait: () => new Promise((resolve) => setTimeout(resolve, 50)),
        shouldRetry: () => true,
      }),
  ],
  [
    'graphql-sse',
    (at) =>
      createSseClient({
        url: at,
        retryAttempts: 20,
        retry: () => new Promise((resolve) => setTimeout(resolve, 50)),
      }),
  ],
];

/** As a client puts it together that goes by the sequence numbers. */
function textOf(events: readonly Event[]): string {
  const pieces = new Map(events.map((event) => [event.sequence, event.content ?? '']));
  return [...pieces.entries()]
    .toSorted(([one], [other]) => one - other)
    .map(([, content]) => content)
    .join('');
}

async function books() {
  const [account] = await sql`select posted::text, held::text from switchyard.account where key = 'user:ann'`;
  const [holds] = await sql`select count(*)::integer as count from switchyard.hold`;
  return { posted: account?.posted, held: account?.held, calls: holds?.count };
}

/** A chat as `INPUT` asks for, at the mock's price. */
const ONCE = { posted: '120000000', held: '0', calls: 1 };

test.each(CLIENTS)(
  '%s is told the decision, the pieces and the cost',
  async (_name, connect) => {
    const { service } = await start({ MOCK_LATENCY_SCALE: '1' });
    const stream = follow(connect(`${service.url}/graphql`), INPUT);
    await stream.over;
    const kinds = stream.events.map((event) => event.__typename);
    expect(kinds[0]).toBe('ChatStarted');
    expect(kinds.at(-1)).toBe('ChatCompleted');
    expect(kinds.filter((kind) => kind === 'ChatDelta').length).toBeGreaterThan(3);
    expect(textOf(stream.events)).toBe(TEXT);
    expect(stream.events.at(-1)?.result).toMatchObject({ content: TEXT, cost: { totalUsd: '0.00012' } });
    await eventually(async () => (await books()).held === '0');
    expect(await books()).toEqual(ONCE);
  },
  PATIENCE_MS,
);

test.each(CLIENTS)(
  'a stream is joined again by a stock client that lost its connection: %s',
  async (_name, connect) => {
    const { way } = await start();
    const stream = follow(connect(new URL('/graphql', way.url).href), { ...INPUT, idempotencyKey: 'k-1' });
    await eventually(() => stream.events.length >= 3);
    const seen = stream.events.length;
    await way.cut();
    await way.mend();
    await stream.over;
    expect(stream.events.length).toBeGreaterThan(seen);
    expect(stream.events.filter((event) => event.__typename === 'ChatStarted')).toHaveLength(2);
    expect(textOf(stream.events)).toBe(TEXT);
    // The second subscription was charged nothing.
    expect(stream.events.at(-1)).toMatchObject({ result: { replayed: true } });
    await eventually(async () => (await books()).held === '0');
    expect(await books()).toEqual(ONCE);
  },
  PATIENCE_MS,
);

test.each(CLIENTS)(
  'a client that unsubscribes ends the request, and pays for what it was told: %s',
  async (_name, connect) => {
    const { service } = await start();
    const stream = follow(connect(`${service.url}/graphql`), INPUT);
    await eventually(() => stream.events.some((event) => event.__typename === 'ChatDelta'));
    stream.leave();
    await eventually(async () => (await books()).held === '0');
    // Mocks bill the prompt alone.
    expect(await books()).toEqual(ONCE);
    await eventually(async () => {
      const [request] = await sql`select status, is_streamed from switchyard.request`;
      return request?.status === 'cancelled' && request.is_streamed;
    });
  },
  PATIENCE_MS,
);

test(
  'SIGTERM lets a stream finish',
  async () => {
    const { service } = await start({ ...SLOW, DRAIN_WAIT_MS: '0' });
    const stream = follow(CLIENTS[0]![1](`${service.url}/graphql`), INPUT);
    await eventually(() => stream.events.length >= 2);
    expect(await service.end('SIGTERM')).toBe(0);
    await stream.over;
    expect(textOf(stream.events)).toBe(TEXT);
    expect(stream.events.at(-1)?.__typename).toBe('ChatCompleted');
  },
  PATIENCE_MS,
);
