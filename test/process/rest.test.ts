import OpenAI from 'openai';
import postgres from 'postgres';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { chunksOf, post, said } from '../http/rest/rest-kit.ts';
import { eventually } from '../support/eventually.ts';
import { type Service, startService } from '../support/running.ts';
import { makeDatabase } from '../support/store-database.ts';
import { openWay } from '../support/way.ts';

// The REST door of a process on a real PostgreSQL, its mocks slow enough to be interrupted.

const POEM = 'Write a short poem about trains';
const TEXT = `Mock response from google: ${POEM}...`;
/** A process is started for each test. */
const PATIENCE_MS = 90_000;

let opened: AsyncDisposableStack;
let database: string;
let sql: postgres.Sql;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  database = opened.use(await makeDatabase()).url;
  sql = postgres(database, { max: 1 });
  opened.defer(() => sql.end());
});

afterEach(() => opened.disposeAsync());

async function start(env: Readonly<Record<string, string>>): Promise<Service> {
  return opened.use(await startService({ DATABASE_URL: database, ...env }));
}

async function books() {
  const [account] = await sql`select posted::text, held::text from switchyard.account where key = 'user:ann'`;
  const [holds] = await sql`select count(*)::integer as count from switchyard.hold`;
  return { posted: account?.posted, held: account?.held, calls: holds?.count };
}

test(
  'the openai client sends one chat three times at once, under one key: one call, one charge, one answer',
  async () => {
    const { url } = await start({ MOCK_LATENCY_SCALE: '4' });
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none' });
    const asked = { model: 'auto', user: 'ann', messages: [{ role: 'user' as const, content: POEM }] };
    const headers = { 'idempotency-key': 'poem-1' };
    const sent = [1, 2, 3].map(() => client.chat.completions.create(asked, { headers }));
    const answers = await Promise.all(sent);
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(answers.map(({ choices }) => choices[0]?.message.content)).toEqual([TEXT, TEXT, TEXT]);
    await eventually(async () => (await books()).held === '0');
    expect(await books()).toEqual({ posted: '120000000', held: '0', calls: 1 });
    const logged = await sql`select door, user_id, is_streamed from switchyard.request`;
    expect([...logged]).toEqual([{ door: 'rest', user_id: 'ann', is_streamed: false }]);
  },
  PATIENCE_MS,
);

test(
  'SIGTERM lets a stream over REST finish, and it is paid for once',
  async () => {
    const service = await start({ MOCK_LATENCY_SCALE: '12' });
    const response = await post(service, said(POEM, { stream: true, user: 'ann' }));
    const body = response.text();
    expect(await service.end('SIGTERM')).toBe(0);
    const told = await body;
    const pieces = chunksOf(told).map(({ choices }) => choices[0].delta.content ?? '');
    expect(pieces.join('')).toBe(TEXT);
    expect(told.endsWith('data: [DONE]\n\n')).toBe(true);
    await eventually(async () => (await books()).held === '0');
    expect(await books()).toEqual({ posted: '120000000', held: '0', calls: 1 });
  },
  PATIENCE_MS,
);

test(
  'while the database is away a chat is refused at once, to be sent again, and then it is answered',
  async () => {
    const way = opened.use(await openWay(database));
    const service = opened.use(await startService({ DATABASE_URL: way.url, STORE_TIMEOUT_MS: '1000' }));
    expect((await post(service, said(POEM))).status).toBe(200);
    await way.cut();
    const refused = await post(service, said(POEM, { stream: true }));
    expect(refused.status).toBe(503);
    expect(Object.fromEntries(refused.headers)).toMatchObject({ 'retry-after': '1', 'x-should-retry': 'true' });
    expect(JSON.parse(await refused.text()).error).toMatchObject({ type: 'server_error', code: 'store_unavailable' });
    await way.mend();
    await eventually(async () => (await post(service, said(POEM))).status === 200);
  },
  PATIENCE_MS,
);
