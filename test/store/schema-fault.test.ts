import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, inject, test } from 'vitest';
import { schemaFaultOf } from '../../src/store/postgres/migrate.ts';
import { makeFakeClock } from '../fakes/clock.ts';
import { createDatabase } from '../support/postgres.ts';
import { makeDatabase } from '../support/store-database.ts';

test('a database is looked at before it is used: it is as wanted, or has no tables of ours', async () => {
  await using migrated = await makeDatabase();
  await using blank = await createDatabase(inject('postgresUrl'));
  const clock = makeFakeClock();
  expect(await schemaFaultOf(migrated.url, clock)).toBeNull();
  expect(await schemaFaultOf(blank.url, clock)).toContain('npm run migrate');
  expect(clock.timerCount()).toBe(0);
});

test('a server that takes a question and never answers holds up no start', async () => {
  const clock = makeFakeClock();
  await using server = createServer();
  server.on('connection', (socket) => socket.on('error', () => socket.destroy()).resume());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : null;
  const asked = once(server, 'connection');
  const fault = schemaFaultOf(`postgres://127.0.0.1:${port}/any`, clock);
  const told = expect(fault).rejects.toThrow('no answer within 10000 ms');
  await asked;
  clock.advance(10_000);
  await told;
});
