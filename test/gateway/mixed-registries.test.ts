import { expect, test } from 'vitest';
import { replicaId, userAccount } from '../../src/core/ids.ts';
import type { Registry } from '../../src/core/registry.ts';
import { type LogLine, makeListeningLog } from '../fakes/log.ts';
import { alone } from '../support/alone.ts';
import { type GatewayKit, makeGatewayKit } from '../support/gateway-kit.ts';
import { openTestStore } from '../support/open-test-store.ts';
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
    const store = opened.use(await openTestStore({ kind: 'postgres', url, registry, replica: replicaId(name), log }));
    /** The whole gateway of this replica, from now on. */
    const serve = () => opened.use(makeGatewayKit({ registry, store }));
    return { serve, store, lines };
  };
  return { start, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

test('a replica goes on with its own providers when another one starts with a registry that lacks one of them', async () => {
  await using fleet = await makeFleet();
  const old = await fleet.start('old', OLD);
  const young = await fleet.start('young', NEW);
  const [oldKit, youngKit] = [old.serve(), young.serve()];
  const answers = async (kit: GatewayKit, key: string) => {
    const outcome = await kit.chat({ prompt: 'hello', routing: { only: [key] } });
    return outcome.kind === 'answered' ? outcome.provider : outcome.kind;
  };
  expect(await answers(oldKit, 'gone')).toBe('gone');
  expect(await answers(oldKit, 'kept')).toBe('kept');
  expect(await answers(youngKit, 'kept')).toBe('kept');
  expect(await answers(youngKit, 'added')).toBe('added');
});

test('each replica sees the providers of its own registry, in its own order, and no others', async () => {
  await using fleet = await makeFleet();
  const old = await fleet.start('old', OLD);
  const young = await fleet.start('young', NEW);
  for (const [{ store }, keys] of [
    [old, ['gone', 'kept']],
    [young, ['kept', 'added']],
  ] as const) {
    expect((await store.look(alone(ANN))).providers.map(({ provider }) => provider)).toEqual(keys);
    expect((await store.survey()).providers.map(({ state }) => state.provider)).toEqual(keys);
  }
});

test('the rolling limit of a provider is that of the replica that started last, for all', async () => {
  await using fleet = await makeFleet();
  const old = await fleet.start('old', OLD);
  await fleet.start('young', NEW);
  const kit = old.serve();
  const outcomes = [];
  for (let sent = 0; sent < 4; sent += 1) {
    const outcome = await kit.chat({ prompt: 'hello', routing: { only: ['kept'] } });
    outcomes.push(outcome.kind === 'answered' ? outcome.kind : outcome.why.kind);
  }
  expect(outcomes).toEqual(['answered', 'answered', 'answered', 'rateLimited']);
});

test('the replica that changes the rows of others says what it changed and who has what, and nobody else does', async () => {
  await using fleet = await makeFleet();
  const heartbeat = { version: '1', priceListVersion: '1' };
  const first = await fleet.start('first', OLD);
  await first.store.beat({ ...heartbeat, configHash: 'old' });
  const second = await fleet.start('second', OLD);
  await second.store.beat({ ...heartbeat, configHash: 'old' });
  const young = await fleet.start('young', NEW);
  await young.store.beat({ ...heartbeat, configHash: 'new' });
  const alike = await fleet.start('alike', NEW);
  expect([first.lines, second.lines, alike.lines].map(warningsIn)).toEqual([[], [], []]);
  expect(warningsIn(young.lines)).toEqual([{ changed: 'gone, kept, added', others: 'old on 2' }]);
  const again = await fleet.start('again', OLD);
  expect(warningsIn(again.lines)).toEqual([{ changed: 'added, gone, kept', others: 'new on 1' }]);
});

test('a replica that adopts another registry while it runs has its providers and limits, and speaks of others only', async () => {
  await using fleet = await makeFleet();
  const heartbeat = { version: '1', priceListVersion: '1' };
  const first = await fleet.start('first', OLD);
  await first.store.beat({ ...heartbeat, configHash: 'old' });
  await first.store.adopt(NEW);
  expect((await first.store.survey()).providers.map(({ state }) => state.provider)).toEqual(['kept', 'added', 'gone']);
  expect((await first.store.look(alone(ANN))).providers.map(({ provider }) => provider)).toEqual([
    'kept',
    'added',
    'gone',
  ]);
  expect(warningsIn(first.lines)).toEqual([]);
  const other = await fleet.start('other', NEW);
  await other.store.beat({ ...heartbeat, configHash: 'new' });
  await first.store.adopt(NEW);
  expect(warningsIn(first.lines)).toEqual([]);
  await first.store.adopt(OLD);
  expect(warningsIn(first.lines)).toEqual([{ changed: 'added, gone, kept', others: 'new on 1' }]);
});

function warningsIn(lines: readonly LogLine[]) {
  return lines
    .filter(({ level, message }) => level === 'warn' && message.startsWith('the limits'))
    .map(({ fields }) => fields);
}
