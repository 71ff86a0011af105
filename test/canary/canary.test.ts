import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from '../support/eventually.ts';
import { type Service, startService } from '../support/running.ts';
import { makeDatabase } from '../support/store-database.ts';
import { type Canaries, foundIn, makeCanaries } from './canaries.ts';
import { ACTS, openEchoingUpstream, STREAM_ACTS } from './echoing-upstream.ts';
import { bytesOf, dump } from './places.ts';

/** A process, and some dozens of chats. */
const PATIENCE_MS = 180_000;
const USER = 'user-of-the-canaries';
const LABEL = 'label-of-the-canaries';

interface Scene {
  readonly service: Service;
  readonly canaries: Canaries;
}

async function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return `${response.status} ${await response.text()}`;
}

/** A chat that has a canary in each field that can hold one. */
function bodyOf(act: string, canaries: Canaries, over: object = {}) {
  const tool = {
    name: `weather_${canaries.toolName}`,
    description: `Tells the weather ${canaries.toolDescription}`,
    parameters: { type: 'object', properties: { city: { type: 'string', description: canaries.toolSchema } } },
  };
  const call = { name: tool.name, arguments: JSON.stringify({ city: canaries.toolArguments }) };
  const image = { type: 'image_url', image_url: { url: `https://pictures.test/${canaries.imageUrl}.png` } };
  return {
    messages: [
      { role: 'system', content: `Keep this to yourself: ${canaries.system}` },
      { role: 'user', content: [{ type: 'text', text: 'And here?' }, image] },
      { role: 'assistant', content: null, tool_calls: [{ id: 'call_1', type: 'function', function: call }] },
      { role: 'tool', tool_call_id: 'call_1', content: `It rains ${canaries.toolResult}` },
      { role: 'user', content: `Please do:${act} with my password ${canaries.prompt}` },
    ],
    tools: [{ type: 'function', function: tool }],
    stop: [canaries.stop],
    user: USER,
    metadata: { team: LABEL },
    provider: { only: ['openai'] },
    ...over,
  };
}

const RESET = 'mutation { resetBreaker(input: {providerId: "openai"}) { __typename } }';

/** Every way for a call to end, whole and streamed, alone and with an idempotency key. */
async function chat({ service, canaries }: Scene): Promise<void> {
  const url = `${service.url}/v1/chat/completions`;
  const schema = { name: 'weather', schema: { type: 'object', description: canaries.responseSchema } };
  for (const act of ACTS) {
    await post(url, bodyOf(act, canaries));
    await service.ask(RESET);
  }
  for (const act of STREAM_ACTS) {
    await post(url, bodyOf(act, canaries, { stream: true }));
    await service.ask(RESET);
  }
  await post(url, bodyOf('answer', canaries, { response_format: { type: 'json_schema', json_schema: schema } }));
  for (const act of ['answer', 'answer', '500']) {
    await post(url, bodyOf(act, canaries), { 'idempotency-key': `${act}-${canaries.idempotencyKey}` });
    await service.ask(RESET);
  }
  const input = {
    prompt: `do:answer ${canaries.prompt}`,
    idempotencyKey: `g-${canaries.idempotencyKey}`,
    userId: USER,
  };
  const query = 'mutation ($input: ChatInput!) { chat(input: $input) { __typename ... on ChatSuccess { content } } }';
  const answer = JSON.stringify(await service.ask(query, { input: { ...input, routing: { only: ['openai'] } } }));
  expect(answer).toContain(canaries.answer);
}

/** What nobody means to send, each with a canary in it. */
async function stumble({ service: { url }, canaries }: Scene): Promise<void> {
  const graphql = `${url}/graphql`;
  const secret = { cookie: `session=${canaries.cookie}`, authorization: `Bearer ${canaries.authorization}` };
  const chatOf = (input: object) => ({
    query: 'mutation ($input: ChatInput!) { chat(input: $input) { __typename } }',
    variables: { input },
  });
  await post(graphql, `{"query": "{ gateway { version } }", "x": ${canaries.badJson}`, secret);
  await post(graphql, chatOf({ prompt: { text: canaries.badVariable } }), secret);
  await post(graphql, chatOf({ prompt: 'x', routing: { sort: canaries.badEnum } }), secret);
  await post(graphql, chatOf({ prompt: 'x', [canaries.badField]: 1 }), secret);
  await post(graphql, chatOf({ prompt: 'x', model: canaries.badModel }), secret);
  await post(graphql, { query: `{ ${canaries.badQuery} }` }, secret);
  await post(graphql, { query: `{ gateway { version "${canaries.badQuery}"` }, secret);
  const completions = `${url}/v1/chat/completions?key=${canaries.queryString}`;
  await post(completions, `{"messages": ["${canaries.badJson}`, secret);
  await post(completions, { messages: canaries.badVariable, [canaries.badField]: 1 }, secret);
  await post(completions, { messages: [{ role: canaries.badEnum, content: 'x' }], model: canaries.badModel }, secret);
  await post(
    completions,
    { messages: [{ role: 'user', content: 'x' }] },
    { 'idempotency-key': `é${canaries.idempotencyKey}` },
  ).catch(() => '');
  for (const path of [canaries.path, `graphql?query={${canaries.queryString}}`, `v1/models/${canaries.path}`]) {
    await (await fetch(`${url}/${path}`, { headers: secret })).text();
  }
  await shout(url.replace('http', 'ws'), canaries);
}

/** A WebSocket that says what it should not. */
async function shout(url: string, canaries: Canaries): Promise<void> {
  for (const frames of [
    [
      { type: 'connection_init', payload: { authorization: canaries.connectionParams } },
      { type: canaries.socketFrame },
    ],
    [{ type: 'connection_init' }, { type: 'subscribe', id: '1', payload: { query: `{ ${canaries.badQuery} }` } }],
    [canaries.socketFrame],
  ]) {
    const socket = new WebSocket(`${url}/graphql`, 'graphql-transport-ws');
    const closed = new Promise((resolve) => socket.on('close', resolve).on('error', resolve));
    socket.on('message', () => frames.length < 2 && socket.close());
    await new Promise((resolve) => socket.on('open', resolve).on('error', resolve));
    for (const frame of frames) socket.send(JSON.stringify(frame));
    socket.on('message', (text) => JSON.parse(String(text)).type === 'error' && socket.close());
    await closed;
  }
}

const REQUESTS = `query ($after: String) { requests(first: 30, after: $after) { pageInfo { endCursor hasNextPage }
  nodes { id status userId modelRequested metadata error { code message }
    routing { summary candidates { rejection { detail } } attempts { outcome errorMessage } } promptText answerText } } }`;
const STATES = `{ providers { key health breaker { state events(first: 20) { nodes { cause } } } }
  budgets(first: 100) { nodes { userId } } }`;

/** What everybody else is told: the log, the state of the providers, the meters, health. */
async function toldToOthers({ url, ask }: Service): Promise<string> {
  const told: string[] = [];
  for (let after: string | null = null, isMore = true; isMore; ) {
    const { data, errors } = await ask(REQUESTS, { after });
    expect(errors).toBeUndefined();
    const { pageInfo, nodes } = data!.requests as RequestPage;
    told.push(JSON.stringify(nodes));
    ({ endCursor: after, hasNextPage: isMore } = pageInfo);
  }
  const states = await ask(STATES);
  expect(states.errors).toBeUndefined();
  told.push(JSON.stringify(states));
  for (const path of ['metrics', 'readyz?verbose', 'livez', 'v1/models']) {
    told.push(await (await fetch(`${url}/${path}`)).text());
  }
  return told.join('\n');
}

interface RequestPage {
  readonly pageInfo: { readonly endCursor: string | null; readonly hasNextPage: boolean };
  readonly nodes: readonly object[];
}

async function open(opened: AsyncDisposableStack, env: Readonly<Record<string, string>> = {}) {
  const canaries = makeCanaries();
  const dataDir = await mkdtemp(join(tmpdir(), 'switchyard-canary-'));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  const database = opened.use(await makeDatabase());
  const upstream = opened.use(await openEchoingUpstream(canaries));
  const service = opened.use(
    await startService({
      DATABASE_URL: database.url,
      DATA_DIR: dataDir,
      LOG_LEVEL: 'trace',
      BUDGET_DEFAULT_USD: '1000',
      OPENAI_API_KEY: canaries.openaiKey,
      OPENAI_BASE_URL: `${upstream.url}/v1`,
      ANTHROPIC_API_KEY: canaries.anthropicKey,
      ANTHROPIC_BASE_URL: `${upstream.url}/v1`,
      ...env,
    }),
  );
  return { canaries, dataDir, database, upstream, service };
}

test('no prompt, no answer and no secret is found in logs, meters, the database, the journal, or what others are told', {
  timeout: PATIENCE_MS,
}, async () => {
  await using opened = new AsyncDisposableStack();
  const { canaries, dataDir, database, upstream, service } = await open(opened);
  await chat({ service, canaries });
  await stumble({ service, canaries });
  const told = await toldToOthers(service);
  // Killed, so that the journal is as it was in the middle of its work.
  const running = await bytesOf(dataDir);
  await service.end('SIGKILL');
  const said = `${service.said()}\n${service.printed()}`;
  const journal = `${running}\n${await bytesOf(dataDir)}`;
  const tables = await dump(database.url);
  const found = {
    log: foundIn(said, canaries),
    told: foundIn(told, canaries),
    journal: foundIn(journal, canaries),
    ...Object.fromEntries([...tables].map(([name, rows]) => [name, foundIn(rows, canaries)])),
  };
  const password = new URL(database.url).password;
  expect(Object.entries(found).filter(([, places]) => places.length > 0)).toEqual([]);
  for (const text of [said, told, journal]) expect(password !== '' && text.includes(password)).toBe(false);
  // And it is really these places that were searched, after everything had really happened.
  expect(new Set(upstream.acts)).toEqual(new Set([...ACTS, ...STREAM_ACTS]));
  expect([said.includes('req_'), told.includes(LABEL), journal.includes(USER)]).toEqual([true, true, true]);
  expect([...tables].filter(([, rows]) => rows.includes(LABEL)).length).toBeGreaterThan(0);
  expect(told).toContain('[prompt]');
});

test('the same search finds what is kept where the operator wants it kept, and nowhere else', {
  timeout: PATIENCE_MS,
}, async () => {
  await using opened = new AsyncDisposableStack();
  const { canaries, dataDir, database, service } = await open(opened, { RECORD_CONTENT: '1d' });
  expect(service.said()).toContain('prompts and answers are kept (RECORD_CONTENT=1d)');
  await post(`${service.url}/v1/chat/completions`, bodyOf('answer', canaries));
  const kept = async () => foundIn((await dump(database.url)).get('switchyard.request_content') ?? '', canaries);
  await eventually(async () => (await kept()).includes('answer'));
  expect(await kept()).toEqual(expect.arrayContaining(['prompt', 'system', 'toolArguments', 'toolResult', 'answer']));
  const elsewhere = [...(await dump(database.url))].filter(([name]) => name !== 'switchyard.request_content');
  const rest = [...elsewhere.map(([, rows]) => rows), await bytesOf(dataDir), service.said(), service.printed()];
  expect(foundIn(rest.join('\n'), canaries)).toEqual([]);
});
