import { describe, expect, test } from 'vitest';
import { makeTurns } from '../../src/gateway/turns.ts';
import { makeFakeClock } from '../fakes/clock.ts';
import { quiet } from '../support/gateway-kit.ts';

/** Turns on a clock that moves only when an act has taken its time. */
function makeKit() {
  const clock = makeFakeClock();
  const inTurn = makeTurns(clock);
  const order: string[] = [];
  return {
    clock,
    order,
    act: (asker: string, takesMs: number) =>
      inTurn(asker, async () => {
        order.push(asker);
        await Promise.resolve();
        clock.advance(takesMs);
        return asker;
      }),
  };
}

describe('of those who wait', () => {
  test('whoever came first is first, as long as nobody had more than another', async () => {
    const kit = makeKit();
    await Promise.all(['a', 'b', 'c'].map((asker) => kit.act(asker, 0)));
    expect(kit.order).toEqual(['a', 'b', 'c']);
  });

  test('who needs little waits for no more than the one under way, however many need much, again and again', async () => {
    const kit = makeKit();
    const askAgain = async (asker: string): Promise<void> => {
      for (let times = 0; times < 10; times += 1) await kit.act(asker, 1_000);
    };
    const greedy = Array.from({ length: 20 }, (_none, at) => askAgain(`long ${at}`));
    for (let times = 0; times < 50; times += 1) {
      const from = kit.order.length;
      await kit.act('short', 10);
      // The one under way when it asked has its turn behind it already.
      const waited = kit.order.slice(from).indexOf('short');
      if (times > 0) expect(waited).toBeLessThanOrEqual(1);
    }
    await Promise.all(greedy);
  });

  test('who needs much has its turn, however often those who need little come', async () => {
    const kit = makeKit();
    const ask = async (asker: string, of: { readonly times: number; readonly takesMs: number }) => {
      for (let times = 0; times < of.times; times += 1) await kit.act(asker, of.takesMs);
    };
    const short = Array.from({ length: 5 }, (_none, at) => ask(`short ${at}`, { times: 500, takesMs: 10 }));
    const long = ask('long', { times: 10, takesMs: 1_000 });
    await Promise.all(short);
    expect(kit.order.filter((asker) => asker === 'long').length).toBeGreaterThanOrEqual(3);
    await long;
  });
});

test('an act that fails fails for its asker alone, and the next one has its turn', async () => {
  const inTurn = makeTurns(makeFakeClock());
  const failed = inTurn('a', async () => {
    throw new RangeError('no');
  });
  const next = inTurn('a', async () => 'done');
  await expect(failed).rejects.toThrow('no');
  expect(await next).toBe('done');
  await quiet();
  expect(await inTurn('b', async () => 'again')).toBe('again');
});
