import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Env, type Service, startService } from '../support/running.ts';
import { makeDatabase } from '../support/store-database.ts';

// Replicas as processes on one real PostgreSQL; their mocks take their time, so that what is sent again finds a chat that runs.

const CHAT = `mutation Chat($input: ChatInput!) { chat(input: $input) { __typename
  ... on ChatSuccess { content replayed request { id status } cost { totalUsd } timing { totalMs overheadMs }
    budget { spentUsd reservedUsd } routing { summary candidates { score } attempts { number } } }
  ... on ApiError { code requestId } } }`;
/** Each test starts two processes. */
const PATIENCE_MS = 90_000;
const INPUT = { prompt: 'Write a short poem about trains', userId: 'ann', idempotencyKey: 'k-1' };

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

async function startReplica(env: Env = {}): Promise<Service> {
  return opened.use(await startService({ DATABASE_URL: url, MOCK_LATENCY_SCALE: '4', ...env }));
}

/** Two at once; the first may be told to take longer over its chats. */
function startReplicas(env: Env = {}): Promise<[Service, Service]> {
  return Promise.all([startReplica(env), startReplica()]);
}

async function send(service: Service, input: object = INPUT) {
  const { data } = await service.ask(CHAT, { input });
  return data?.chat as { readonly __typename: string; readonly replayed?: boolean; readonly request?: { id: string } };
}

/** Sends the chat, and hangs up as soon as it runs. */
async function sendAndHangUp(service: Service): Promise<void> {
  const leaving = new AbortController();
  const sent = fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: CHAT, variables: { input: INPUT } }),
    signal: leaving.signal,
  });
  await eventually(async () => (await sql`select 1 from switchyard.hold where state = 'held'`).length === 1);
  leaving.abort();
  await expect(sent).rejects.toThrow();
}

async function bookkeeping() {
  const [account] = await sql`select posted::text, held::text from switchyard.account where key = 'user:ann'`;
  const [holds] = await sql`select count(*)::integer as count from switchyard.hold`;
  const statuses = await sql`select status from switchyard.request order by created_at`;
  return { ...account, attempts: holds?.count, statuses: statuses.map(({ status }) => status) };
}

test('50 sendings over two replicas are one call, one charge and 50 equal answers', {
  timeout: PATIENCE_MS,
}, async () => {
  const replicas = await startReplicas();
  const answers = await Promise.all(Array.from({ length: 50 }, (_none, sending) => send(replicas[sending % 2]!)));
  expect(answers.filter(({ replayed }) => replayed === false)).toHaveLength(1);
  for (const answer of answers) expect({ ...answer, replayed: true }).toEqual({ ...answers[0], replayed: true });
  expect(answers[0]).toMatchObject({
    __typename: 'ChatSuccess',
    budget: { spentUsd: '0.00012', reservedUsd: '0.00' },
  });
  expect(await bookkeeping()).toEqual({ posted: '120000000', held: '0', attempts: 1, statuses: ['succeeded'] });
});

test('a caller that hung up finds the answer when it sends again, whichever replica it comes to', {
  timeout: PATIENCE_MS,
}, async () => {
  const [one, two] = await startReplicas();
  await sendAndHangUp(one);
  expect(await send(two)).toMatchObject({
    __typename: 'ChatSuccess',
    replayed: true,
    request: { status: 'SUCCEEDED' },
  });
  expect(await bookkeeping()).toMatchObject({ held: '0', attempts: 1, statuses: ['succeeded'] });
});

test('a replica that is told to stop finishes the chat of a caller that hung up', {
  timeout: PATIENCE_MS,
}, async () => {
  const [one, two] = await startReplicas();
  await sendAndHangUp(one);
  expect(await one.end('SIGTERM')).toBe(0);
  expect(await send(two)).toMatchObject({ __typename: 'ChatSuccess', replayed: true });
  expect(await bookkeeping()).toMatchObject({ held: '0', attempts: 1, statuses: ['succeeded'] });
});

test('an answer that was given is told again after a kill -9, with the same content', {
  timeout: PATIENCE_MS,
}, async () => {
  // What was not carried out yet stands in the journal, which outlives the process: the next one on its disk takes it over.
  const disk = { DATA_DIR: mkdtempSync(join(tmpdir(), 'switchyard-disk-')) };
  opened.defer(() => rmSync(disk.DATA_DIR, { recursive: true, force: true }));
  const one = await startReplica(disk);
  const first = await send(one);
  await one.end('SIGKILL');
  const two = await startReplica(disk);
  expect(await send(two)).toEqual({ ...first, replayed: true });
  expect(await send(two, { ...INPUT, prompt: 'Write a long one' })).toEqual({
    __typename: 'IdempotencyConflictError',
    code: 'IDEMPOTENCY_CONFLICT',
    requestId: first.request?.id,
  });
});

test('a chat whose replica was killed is run by whoever waits for it, as soon as its lease has ended', {
  timeout: PATIENCE_MS,
}, async () => {
  const [one, two] = await startReplicas({ MOCK_LATENCY_SCALE: '100' });
  await sendAndHangUp(one);
  await one.end('SIGKILL');
  const waiting = send(two);
  await sql`update switchyard.idempotency_key set lease_ends_at = switchyard.clock()`;
  expect(await waiting).toMatchObject({ __typename: 'ChatSuccess', replayed: false });
  // What the killed replica held may have been billed: it stays held until it expires, and then it is posted.
  await eventually(async () => (await bookkeeping()).statuses.length > 0);
  expect(await bookkeeping()).toMatchObject({ attempts: 2, statuses: ['succeeded'] });
});
