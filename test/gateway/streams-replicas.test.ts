import { describe, expect, test } from 'vitest';
import { type GatewayKit, makeGatewayKit, quiet } from '../support/gateway-kit.ts';
import { passing } from './keyed-chats.ts';
import { PRICED } from './priced-registry.ts';
import { all, endOf, goAway, KEYED, kindsOf, moneyOf, open, sequencesOf, textOf } from './stream-reading.ts';

/** Two replicas on one store. The second one has no stream of the first. */
function makeReplicas(stack: AsyncDisposableStack): readonly [GatewayKit, GatewayKit] {
  const one = stack.use(makeGatewayKit({ registry: PRICED }));
  return [one, stack.use(makeGatewayKit({ registry: PRICED, store: one.store }))];
}

/** Begins a stream at a replica whose provider says one word, and the rest when the test lets it. */
async function begin(kit: GatewayKit) {
  const rest = Promise.withResolvers<string>();
  kit.provider('a').script({ kind: 'stream', pieces: ['Hello', rest.promise], after: { kind: 'answer' } });
  const stream = open(kit, { ...KEYED, timeoutMs: 600_000 });
  const seen = [await stream.pieces.next(), await stream.pieces.next()];
  expect(seen).toHaveLength(2);
  return { stream, finish: () => rest.resolve(', Ann') };
}

describe('a reader who comes back to another replica', () => {
  test('waits for the stream however long it takes: one call, one charge', async () => {
    await using stack = new AsyncDisposableStack();
    const [one, two] = makeReplicas(stack);
    const { stream, finish } = await begin(one);
    await goAway(stream);
    const again = all(open(two, { ...KEYED, timeoutMs: 600_000 }, 1));
    for (let second = 0; second < 15; second += 1) {
      one.clock.advance(1_000);
      two.clock.advance(1_000);
      await quiet();
    }
    finish();
    const pieces = await passing(two, again);
    // Told from the start, whatever place it had at the other one: `started` says that a telling begins.
    expect(kindsOf(pieces)).toEqual(['started', 'delta', 'ended']);
    expect(sequencesOf(pieces)).toEqual([0, 1, 2]);
    expect(endOf(pieces)).toMatchObject({ kind: 'answered', isReplayed: true });
    expect([one.provider('a').calls.length, two.provider('a').calls.length]).toEqual([1, 0]);
    expect(await moneyOf(one)).toEqual({ posted: 60_000_000n, held: 0n });
  });

  test('and leaves there too waits no more', async () => {
    await using stack = new AsyncDisposableStack();
    const [one, two] = makeReplicas(stack);
    const { finish } = await begin(one);
    const waiting = open(two, { ...KEYED, timeoutMs: 600_000 });
    void waiting.pieces.next();
    await quiet();
    expect(two.gateway.unreadStreams().count).toBe(0);
    await goAway(waiting);
    await two.gateway.unreadStreams().whenEnded();
    finish();
    await quiet();
    expect(two.provider('a').calls).toHaveLength(0);
  });
});

describe('a place in a stream', () => {
  test('that has everything is told the end again, as long as the stream is known and after that', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    const { stream, finish } = await begin(kit);
    finish();
    const rest = await all(stream);
    const last = sequencesOf(rest).at(-1)!;
    const again = await all(open(kit, { ...KEYED, timeoutMs: 600_000 }, last));
    expect(again).toEqual([rest.at(-1)]);
    kit.clock.advance(60_000);
    const later = await all(open(kit, KEYED, last));
    expect(kindsOf(later)).toEqual(['started', 'delta', 'ended']);
  });

  test('that the stream has not reached is of another one: it is told from its start', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    const { stream, finish } = await begin(kit);
    const other = all(open(kit, { ...KEYED, timeoutMs: 600_000 }, 50));
    await quiet();
    finish();
    await all(stream);
    expect(textOf(await other)).toBe('Hello, Ann');
  });
});
