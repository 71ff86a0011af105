import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startInVain, startService } from '../support/running.ts';

const CHAT = `mutation Chat($input: ChatInput!) { chat(input: $input) { __typename
  ... on ChatSuccess { request { id } content cost { totalUsd } provider { key } routing { summary } budget { spentUsd reservedUsd } }
  ... on ApiError { code message } } }`;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchyard-service-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const dataDir = (name: string) => ({ DATA_DIR: join(folder, name) });

test('without any setting it serves, says who is a mock, where state is kept and what to try', async () => {
  await using service = await startService(dataDir('first'));
  expect(service.said()).toMatch(/openai +mock \(set OPENAI_API_KEY for the real one\)/);
  expect(service.said()).toMatch(/Store +embedded PostgreSQL 18\.\d+ in /);
  expect(service.said()).toContain(`curl -s ${service.url}/graphql`);
  expect(service.said()).toContain(`open ${service.url}/graphql`);
  expect(service.said()).toContain('_API_KEY=...');
  const { data } = await service.ask(CHAT, { input: { prompt: 'Write an essay about trains', userId: 'ann' } });
  expect(data).toMatchObject({
    chat: { __typename: 'ChatSuccess', content: 'Mock response from google: Write an essay about trains...' },
  });
  expect((await fetch(`${service.url}/readyz`)).status).toBe(200);
});

test('spend, budgets, breakers, simulations and history survive a restart, and a kill -9', async () => {
  const env = dataDir('kept');
  const ask = `query Look($id: ID!) {
    budget(userId: "ann") { spentUsd limitUsd } request(id: $id) { status routing { summary } }
    provider(id: "openai") { breaker { state epoch } simulation { mode failuresInjected } enabled } }`;
  let before: unknown;
  let id: unknown;
  {
    await using service = await startService(env);
    const answered = await service.ask(CHAT, { input: { prompt: 'Write an essay about trains', userId: 'ann' } });
    id = idOf(answered);
    await service.ask('mutation { setBudget(input: {userId: "ann", limitUsd: "2.50"}) { __typename } }');
    await service.ask('mutation { simulateFailure(input: {providerId: "openai", duration: "1h"}) { __typename } }');
    for (let sent = 0; sent < 3; sent += 1) {
      await service.ask(CHAT, { input: { prompt: 'hello', routing: { only: ['openai'] } } });
    }
    before = (await service.ask(ask, { id })).data;
    expect(before).toMatchObject({
      provider: { breaker: { state: 'OPEN' }, simulation: { mode: 'ERROR', failuresInjected: 3 } },
    });
    expect(await service.end('SIGTERM')).toBe(0);
  }
  {
    await using service = await startService(env);
    expect((await service.ask(ask, { id })).data).toEqual(before);
    await service.end('SIGKILL');
  }
  await using service = await startService(env);
  expect((await service.ask(ask, { id })).data).toEqual(before);
  expect((await service.ask('{ gateway { replicas } }')).data).toEqual({ gateway: { replicas: 1 } });
});

test('a second service on the same folder is told so, and never shares it', async () => {
  const env = dataDir('taken');
  await using first = await startService(env);
  const second = await startInVain(env);
  expect(second.code).toBe(1);
  expect(second.said).toMatch(/in use|another/i);
  await using third = await startService({ ...env, STORE_FALLBACK: 'memory' });
  expect(third.said()).toMatch(/WARNING +nothing survives a restart/);
  expect((await third.ask('{ gateway { store } }')).data).toEqual({ gateway: { store: 'MEMORY' } });
  expect((await first.ask('{ gateway { store } }')).data).toEqual({ gateway: { store: 'EMBEDDED' } });
});

test('SIGTERM lets a chat that runs finish, and exits with 0', async () => {
  await using service = await startService({ STORE: 'memory', MOCK_LATENCY_SCALE: '3' });
  const chat = service.ask(CHAT, { input: { prompt: 'Take your time', userId: 'ann' } });
  // The chat is under way as soon as its money is held.
  const held = '{ budget(userId: "ann") { reservedUsd } }';
  for (let asked = 0; asked < 200; asked += 1) {
    if (JSON.stringify((await service.ask(held)).data) !== '{"budget":{"reservedUsd":"0.00"}}') break;
  }
  const ended = service.end('SIGTERM');
  expect((await chat).data).toMatchObject({ chat: { __typename: 'ChatSuccess' } });
  expect(await ended).toBe(0);
});

test('every line of the log is one JSON object, and an operation names the request it served', async () => {
  await using service = await startService({ STORE: 'memory' });
  const id = idOf(await service.ask(CHAT, { input: { prompt: 'A secret nobody may log' } }));
  await service.end('SIGTERM');
  const lines = service.logged();
  expect(lines.some((line) => JSON.stringify(line).includes(String(id)))).toBe(true);
  expect(lines.every((line) => typeof line.level === 'string' && typeof line.time === 'string')).toBe(true);
  expect(JSON.stringify(lines)).not.toContain('A secret nobody may log');
});

function idOf(answer: { data?: Record<string, unknown> }): unknown {
  const text = /req_[0-9a-f-]{36}/.exec(JSON.stringify(answer.data));
  if (text === null) throw new Error(`no request id in ${JSON.stringify(answer)}`);
  return text[0];
}
