import { type Client, createClient } from 'graphql-ws';
import postgres from 'postgres';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from '../support/eventually.ts';
import { type Service, startService } from '../support/running.ts';
import { makeDatabase } from '../support/store-database.ts';

// Two processes on one real PostgreSQL, their mocks slow enough to be stopped, and a client as it comes from npm.

const STREAM = `subscription { chatStream(input: {prompt: "Write a short poem about trains", userId: "ann"}) { __typename
  ... on ChatStarted { requestId } ... on ChatFailed { error { __typename code } costUsd } } }`;
const EVENTS = 'subscription { requestEvents { kind dropped request { id status userId routing { summary } } } }';
const REFUSED = 'mutation { chat(input: {prompt: "hi", userId: "bob", maxCostUsd: "0.0000001"}) { __typename } }';
const CANCEL = `mutation ($id: ID!) { cancelChat(input: {requestId: $id}) { __typename
  ... on CancelChatSuccess { request { status } } } }`;
const STATUS = 'query ($id: ID!) { request(id: $id) { status } node(id: $id) { id } }';
/** Two processes are started. */
const PATIENCE_MS = 90_000;

interface ChatEvent {
  readonly __typename: string;
  readonly requestId?: string;
  readonly error?: { readonly code: string };
}

interface RequestEvent {
  readonly kind: string;
  readonly request: { readonly id: string; readonly routing: object | null };
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

async function start(): Promise<{ readonly service: Service; readonly client: Client }> {
  const service = opened.use(await startService({ DATABASE_URL: url, MOCK_LATENCY_SCALE: '30' }));
  const client = createClient({
    url: `${service.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
  });
  opened.defer(() => void client.dispose());
  return { service, client };
}

/** Keeps whatever a subscription is told under this field. */
function follow<Event>(client: Client, query: string, field: string): readonly Event[] {
  const events: Event[] = [];
  client.subscribe<Record<string, Event>>(
    { query },
    {
      next: ({ data }) => {
        const event = data?.[field];
        if (event !== undefined) events.push(event);
      },
      error: () => undefined,
      complete: () => undefined,
    },
  );
  return events;
}

test(
  'a chat is watched at another replica, and stopped from there: its caller is told, and what is held is free again',
  async () => {
    const [here, there] = await Promise.all([start(), start()]);
    const atHere = follow<RequestEvent>(here.client, EVENTS, 'requestEvents');
    const atThere = follow<RequestEvent>(there.client, EVENTS, 'requestEvents');
    // Only what happens after a watcher's replica has asked for it is told there.
    await eventually(async () => {
      await here.service.ask(REFUSED);
      return atThere.length > 0;
    });

    const chat = follow<ChatEvent>(here.client, STREAM, 'chatStream');
    await eventually(() => chat.some((event) => event.__typename === 'ChatDelta'));
    const id = chat[0]?.requestId;
    expect((await here.service.ask(STATUS, { id })).data).toEqual({ request: { status: 'RUNNING' }, node: { id } });

    const stopped = await there.service.ask(CANCEL, { id });
    expect(stopped.data).toEqual({ cancelChat: { __typename: 'CancelChatSuccess', request: { status: 'CANCELLED' } } });
    await eventually(() => chat.at(-1)?.__typename === 'ChatFailed');
    expect(chat.at(-1)).toMatchObject({ error: { __typename: 'CancelledError', code: 'CANCELLED' } });
    for (const { service } of [here, there]) {
      expect((await service.ask(STATUS, { id })).data).toMatchObject({ request: { status: 'CANCELLED' } });
    }

    const of = (events: readonly RequestEvent[]) => events.filter(({ request }) => request.id === id);
    await eventually(() => of(atHere).length === 2 && of(atThere).length === 2);
    for (const events of [atHere, atThere])
      expect(of(events).map(({ kind }) => kind)).toEqual(['STARTED', 'CANCELLED']);
    expect(of(atThere).map(({ request }) => request.routing !== null)).toEqual([false, true]);
    await eventually(async () => {
      const [account] = await sql`select held::text, posted::text from switchyard.account where key = 'user:ann'`;
      return account?.held === '0' && account.posted !== '0';
    });
  },
  PATIENCE_MS,
);
