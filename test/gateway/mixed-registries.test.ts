import { expect, test } from 'vitest';
import { replicaId, userAccount } from '../../src/core/ids.ts';
import type { Registry } from '../../src/core/registry.ts';
import { openPostgresStore } from '../../src/store/postgres/store.ts';
import { makeListeningLog } from '../fakes/log.ts';
import { makeGatewayKit } from '../support/gateway-kit.ts';
import { makeModel, makeProvider, makeRegistry } from '../support/registries.ts';
import { makeDatabase } from '../support/store-database.ts';

// A new registry is rolled out replica by replica: for a while, old and new ones share the database.

const OLD = makeRegistry(
  makeProvider('gone', [makeModel('gone-1', '1')], { requestsPerMinute: 5 }),
  makeProvider('kept', [makeModel('kept-1', '2')], { requestsPerMinute: 5 }),
);
const NEW = makeRegistry(
  makeProvider('kept', [makeModel('kept-1', '2')], { requestsPerMinute: 3 }),
  makeProvider('added', [makeModel('added-1', '1')], { requestsPerMinute: 5 }),
);

const ANN = userAccount('ann');

async function makeFleet() {
  const opened = new AsyncDisposableStack();
  const { url } = opened.use(await makeDatabase());
  const start = async (name: string, registry: Registry) => {
    const { log, lines } = makeListeningLog();
    const store = opened.use(
      await openPostgresStore({ kind: 'postgres', url, registry, replica: replicaId(name), log }),
    );
    return { kit: opened.use(makeGatewayKit({ registry, store })), store, lines };
  };
  return { start, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

test('a replica goes on with its own providers when another one starts with a registry that lacks one of them', async () => {
  await using fleet = await makeFleet();
  const old = await fleet.start('old', OLD);
  const young = await fleet.start('young', NEW);
  const answers = async ({ kit }: typeof old, key: string) => {
    const outcome = await kit.chat({ prompt: 'hello', routing: { only: [key] } });
    return outcome.kind === 'answered' ? outcome.provider : outcome.kind;
  };
  expect(await answers(old, 'gone')).toBe('gone');
  expect(await answers(old, 'kept')).toBe('kept');
  expect(await answers(young, 'kept')).toBe('kept');
  expect(await answers(young, 'added')).toBe('added');
});

test('each replica sees the providers of its own registry, in its own order, and no others', async () => {
  await using fleet = await makeFleet();
  const old = await fleet.start('old', OLD);
  const young = await fleet.start('young', NEW);
  for (const [{ store }, keys] of [
    [old, ['gone', 'kept']],
    [young, ['kept', 'added']],
  ] as const) {
    expect((await store.look(ANN)).providers.map(({ provider }) => provider)).toEqual(keys);
    expect((await store.survey()).providers.map(({ state }) => state.provider)).toEqual(keys);
  }
});

test('the rolling limit of a provider is that of the replica that started last, for all', async () => {
  await using fleet = await makeFleet();
  const old = await fleet.start('old', OLD);
  await fleet.start('young', NEW);
  const outcomes = [];
  for (let sent = 0; sent < 4; sent += 1) {
    const outcome = await old.kit.chat({ prompt: 'hello', routing: { only: ['kept'] } });
    outcomes.push(outcome.kind === 'answered' ? outcome.kind : outcome.why.kind);
  }
  expect(outcomes).toEqual(['answered', 'answered', 'answered', 'rateLimited']);
});
