import { expect, test } from 'vitest';
import { replicaId } from '../../src/core/ids.ts';
import { SILENT_LOG } from '../fakes/log.ts';
import { type GatewayKit, makeGatewayKit } from '../support/gateway-kit.ts';
import { openTestStore } from '../support/open-test-store.ts';
import { makeDatabase } from '../support/store-database.ts';
import { asReplayed, COST, callsOf, KEYED, moneyOf, passing, recordsOf } from './keyed-chats.ts';
import { PRICED } from './priced-registry.ts';

const SENDINGS = 50;

/** Two replicas on one real PostgreSQL. */
async function makeReplicas(opened: AsyncDisposableStack): Promise<readonly [GatewayKit, GatewayKit]> {
  const { url } = opened.use(await makeDatabase());
  const open = async (name: string) => {
    const options = { kind: 'postgres', url, registry: PRICED, replica: replicaId(name), log: SILENT_LOG } as const;
    const store = opened.use(await openTestStore(options));
    return opened.use(makeGatewayKit({ registry: PRICED, store }));
  };
  return [await open('one'), await open('two')];
}

/** Moves the time of both replicas on until a promise settles. */
function passingOn([one, two]: readonly [GatewayKit, GatewayKit]) {
  return async <Value>(promise: Promise<Value>): Promise<Value> => {
    await Promise.all([passing(one, promise, 10), passing(two, promise, 10)]);
    return promise;
  };
}

test('50 sendings over two replicas are one call, one charge and 50 equal answers', async () => {
  await using opened = new AsyncDisposableStack();
  const kits = await makeReplicas(opened);
  const pass = passingOn(kits);
  for (let round = 1; round <= 5; round += 1) {
    const word = Promise.withResolvers<void>();
    for (const kit of kits) {
      kit.provider('a').script({ kind: 'wait', until: word.promise, after: { kind: 'answer' } });
    }
    const raw = { ...KEYED, idempotencyKey: `round ${round}` };
    const sendings = Array.from({ length: SENDINGS }, (_none, sending) => kits[sending % 2 === 0 ? 0 : 1].send(raw));
    word.resolve();
    const outcomes = await pass(Promise.all(sendings));
    expect(outcomes.filter((outcome) => outcome.kind === 'answered' && !outcome.isReplayed)).toHaveLength(1);
    for (const outcome of outcomes) expect(asReplayed(outcome)).toEqual(asReplayed(outcomes[0]!));
    expect(callsOf(kits[0]) + callsOf(kits[1])).toBe(round);
    expect(await moneyOf(kits[0])).toEqual({ posted: COST * BigInt(round), held: 0n });
    expect(await recordsOf(kits[1])).toHaveLength(round);
  }
});

test('an answer of one replica is told by the other, with its money and times to the last digit', async () => {
  await using opened = new AsyncDisposableStack();
  const [one, two] = await makeReplicas(opened);
  one.provider('a').script({ kind: 'fail', failure: { kind: 'providerError', message: 'NUL \0 and \ud800' } });
  const first = await one.send(KEYED);
  expect(await two.send(KEYED)).toEqual(asReplayed(first));
  expect(await two.send({ ...KEYED, prompt: 'other' })).toMatchObject({
    kind: 'notRun',
    requestId: first.requestId,
    why: { code: 'IDEMPOTENCY_CONFLICT' },
  });
  expect(callsOf(two)).toBe(0);
});

test('a replica that stops leaves its chat to whoever waits for it on another', async () => {
  await using opened = new AsyncDisposableStack();
  const kits = await makeReplicas(opened);
  const [one, two] = kits;
  one.provider('a').script({ kind: 'hang' });
  const first = one.send(KEYED);
  await expect.poll(() => callsOf(one)).toBe(1);
  const second = two.send(KEYED);
  await one[Symbol.asyncDispose]();
  expect(await first).toMatchObject({ kind: 'ended', why: { code: 'CANCELLED' } });
  expect(await passingOn(kits)(second)).toMatchObject({ kind: 'answered', isReplayed: false });
  expect((await moneyOf(two)).held).toBe(0n);
});
