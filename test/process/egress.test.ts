import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openUpstream, sendJson, type Upstream } from '../providers/upstream.ts';
import { ANSWERS } from '../providers/wire.ts';
import { type Service, startService } from '../support/running.ts';

const OPENAI_KEY = 'sk-test-openai-0123456789';
const ANTHROPIC_KEY = 'sk-ant-test-0123456789';
const CHAT = `mutation Chat($input: ChatInput!) { chat(input: $input) { __typename ... on ChatSuccess { content }
  ... on ApiError { code message } ... on AllProvidersFailedError { routing { attempts { outcome errorMessage } } } } }`;

/** A place that nobody has a reason to connect to. */
async function openTrap() {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    host: `127.0.0.1:${address.port}`,
    connections: () => connections,
    [Symbol.asyncDispose]: () => new Promise<void>((closed) => server.close(() => closed())),
  };
}

let trap: Awaited<ReturnType<typeof openTrap>>;
let openai: Upstream;
let anthropic: Upstream;
let service: Service;

beforeAll(async () => {
  trap = await openTrap();
  openai = await openUpstream((response) => sendJson(response, ANSWERS.openai));
  anthropic = await openUpstream((response) => sendJson(response, ANSWERS.anthropic));
  const proxy = `http://${trap.host}`;
  service = await startService({
    STORE: 'memory',
    OPENAI_API_KEY: OPENAI_KEY,
    OPENAI_BASE_URL: `${openai.url}/v1`,
    ANTHROPIC_API_KEY: ANTHROPIC_KEY,
    ANTHROPIC_BASE_URL: `${anthropic.url}/v1`,
    GEMINI_API_KEY: 'AIza-test-0123456789',
    GEMINI_BASE_URL: 'http://169.254.169.254/v1beta',
    ...{ HTTP_PROXY: proxy, HTTPS_PROXY: proxy, ALL_PROXY: proxy, http_proxy: proxy, NODE_USE_ENV_PROXY: '1' },
  });
});

afterAll(async () => {
  await service[Symbol.asyncDispose]();
  await Promise.all([openai, anthropic, trap].map((opened) => opened[Symbol.asyncDispose]()));
});

async function overRest(body: object, headers: Record<string, string> = {}): Promise<number> {
  const response = await fetch(`${service.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'hello' }], ...body }),
  });
  await response.arrayBuffer();
  return response.status;
}

test('no field and no header of a request changes where the call goes, nor does a proxy of the environment', async () => {
  const elsewhere = `https://${trap.host}/v1`;
  const named = ['base_url', 'baseURL', 'api_base', 'url', 'endpoint', 'proxy', 'extra_headers', 'host'];
  const fields = Object.fromEntries(named.map((field) => [field, elsewhere]));
  expect(await overRest({ model: 'openai/gpt-5.1', ...fields }, { 'x-base-url': elsewhere })).toBe(200);
  for (const header of ['x-forwarded-host', 'forwarded']) {
    expect(await overRest({ model: 'openai/gpt-5.1' }, { [header]: `host=${trap.host}` })).toBe(421);
  }
  expect(await overRest({ model: `openai/../../${trap.host}` })).toBe(400);
  expect(await overRest({ model: elsewhere })).toBe(400);
  expect(await overRest({ provider: { only: ['openai'], base_url: elsewhere } })).toBe(400);
  const image = { type: 'image_url', image_url: { url: `${elsewhere}/cat.png` } };
  const content = [{ type: 'text', text: 'What is this?' }, image];
  for (const only of ['openai', 'anthropic']) {
    // The link goes to the provider; it is not followed from here.
    expect(await overRest({ messages: [{ role: 'user', content }], provider: { only: [only] } })).toBe(200);
  }
  const { data } = await service.ask(CHAT, { input: { prompt: 'hello', routing: { only: ['openai'] } } });
  expect(data).toMatchObject({ chat: { __typename: 'ChatSuccess' } });
  expect(openai.received.map(({ path }) => path)).toEqual(Array(3).fill('/v1/chat/completions'));
  expect(anthropic.received.map(({ path }) => path)).toEqual(['/v1/messages']);
  expect(JSON.stringify(anthropic.received)).toContain('cat.png');
  expect(trap.connections()).toBe(0);
});

test('each provider’s key goes to its own host only', async () => {
  for (const only of ['openai', 'anthropic']) {
    await service.ask(CHAT, { input: { prompt: 'hello', routing: { only: [only] } } });
  }
  const sentTo = ({ received }: Upstream) => JSON.stringify(received.map(({ headers, body }) => ({ headers, body })));
  expect(sentTo(openai)).toContain(OPENAI_KEY);
  expect(sentTo(openai)).not.toContain(ANTHROPIC_KEY);
  expect(sentTo(anthropic)).toContain(ANTHROPIC_KEY);
  expect(sentTo(anthropic)).not.toContain(OPENAI_KEY);
});

test('a provider at an address that is not allowed is not called, and the operator reads in the log what to do', async () => {
  const { data } = await service.ask(CHAT, { input: { prompt: 'hello', routing: { only: ['google'] } } });
  expect(JSON.stringify(data)).toContain('ALLOW_PRIVATE_UPSTREAMS');
  expect(JSON.stringify(data)).not.toContain('169.254');
  expect(service.logged()).toContainEqual(
    expect.objectContaining({ level: 'warn', address: '169.254.169.254', range: 'link-local' }),
  );
});
