import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, inject, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { createDatabase } from '../support/postgres.ts';
import { startService } from '../support/running.ts';
import { openWay } from '../support/way.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const CHAT = 'mutation { chat(input: {prompt: "hello"}) { __typename } }';

async function migrate(url: string): Promise<{ readonly code: number; readonly said: string }> {
  const child = spawn(process.execPath, [MAIN, 'migrate'], {
    env: { DATABASE_URL: url },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const [code] = await once(child, 'close');
  return { code: Number(code), said };
}

test('a database without our tables is not used: the service waits, not ready, until `npm run migrate` has run', async () => {
  await using database = await createDatabase(inject('postgresUrl'));
  await using service = await startService({ DATABASE_URL: database.url });
  const ready = await fetch(`${service.url}/readyz`);
  expect(ready.status).toBe(503);
  expect(await ready.text()).toContain('npm run migrate');
  const refused = await service.ask(CHAT);
  expect(JSON.stringify(refused)).toContain('STORE_UNAVAILABLE');
  const [first, second] = await Promise.all([migrate(database.url), migrate(database.url)]);
  expect([first.code, second.code], first.said + second.said).toEqual([0, 0]);
  await eventually(async () => (await fetch(`${service.url}/readyz`)).status === 200);
  expect((await service.ask(CHAT)).data).toEqual({ chat: { __typename: 'ChatSuccess' } });
  expect((await service.ask('{ gateway { store } }')).data).toEqual({ gateway: { store: 'POSTGRES' } });
});

test('a database that is down at start is waited for, never silently replaced', async () => {
  await using database = await createDatabase(inject('postgresUrl'));
  expect((await migrate(database.url)).code).toBe(0);
  await using way = await openWay(database.url);
  await way.cut();
  await using service = await startService({ DATABASE_URL: way.url });
  expect(service.said()).toMatch(/WARNING +not ready/);
  expect((await fetch(`${service.url}/livez`)).status).toBe(200);
  expect((await fetch(`${service.url}/readyz`)).status).toBe(503);
  await way.mend();
  await eventually(async () => (await fetch(`${service.url}/readyz`)).status === 200);
  expect((await service.ask(CHAT)).data).toEqual({ chat: { __typename: 'ChatSuccess' } });
  await service.end('SIGTERM');
});

test('with STORE_FALLBACK=memory a database that is down is replaced, and that is said loudly', async () => {
  await using service = await startService({
    DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
    STORE_FALLBACK: 'memory',
  });
  expect(service.said()).toMatch(/WARNING +nothing survives a restart/);
  expect((await service.ask('{ gateway { store } }')).data).toEqual({ gateway: { store: 'MEMORY' } });
});

test('a database that cannot be reached cannot be migrated, and the command says why', async () => {
  const { code, said } = await migrate('postgres://nobody@127.0.0.1:1/none');
  expect(code).toBe(1);
  expect(said).toContain('127.0.0.1:1');
});
