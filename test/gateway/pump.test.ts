import { expect, test } from 'vitest';
import { startPump } from '../../src/gateway/pump.ts';
import { makeFakeClock } from '../fakes/clock.ts';
import { SILENT_LOG } from '../fakes/log.ts';
import { quiet } from '../support/gateway-kit.ts';

/** A pump whose act can be held up, with what it did. */
function makePump(
  options: { readonly act?: (round: number) => Promise<void>; readonly isNeeded?: () => boolean } = {},
) {
  const clock = makeFakeClock();
  const seen = { rounds: 0, atOnce: 0, atOnceMax: 0 };
  const pump = startPump({
    clock,
    log: SILENT_LOG,
    everyMs: 1_000,
    isNeeded: options.isNeeded ?? (() => true),
    act: async () => {
      seen.rounds += 1;
      seen.atOnce += 1;
      seen.atOnceMax = Math.max(seen.atOnceMax, seen.atOnce);
      try {
        await options.act?.(seen.rounds);
      } finally {
        seen.atOnce -= 1;
      }
    },
  });
  return { pump, clock, seen };
}

test('it runs when woken, and then at a steady pace', async () => {
  const { pump, clock, seen } = makePump();
  expect(seen.rounds).toBe(0);
  pump.wake();
  await quiet();
  expect(seen.rounds).toBe(1);
  for (let second = 0; second < 3; second += 1) {
    clock.advance(1_000);
    await quiet();
  }
  expect(seen.rounds).toBe(4);
  await pump[Symbol.asyncDispose]();
});

test('woken while it runs, however often, it runs once more and never twice at once', async () => {
  const gate = Promise.withResolvers<void>();
  const { pump, seen } = makePump({ act: (round) => (round === 1 ? gate.promise : Promise.resolve()) });
  for (let call = 0; call < 5; call += 1) pump.wake();
  await quiet();
  for (let call = 0; call < 5; call += 1) pump.wake();
  gate.resolve();
  await quiet();
  expect(seen).toMatchObject({ rounds: 2, atOnceMax: 1 });
  await pump[Symbol.asyncDispose]();
});

test('an act that fails is tried again at the next beat', async () => {
  const { pump, clock, seen } = makePump({ act: () => Promise.reject(new Error('no')) });
  pump.wake();
  await quiet();
  clock.advance(1_000);
  await quiet();
  expect(seen.rounds).toBe(2);
  await pump[Symbol.asyncDispose]();
});

test('while it is not needed no timer runs; waking it starts it again', async () => {
  let isNeeded = false;
  const { pump, clock, seen } = makePump({ isNeeded: () => isNeeded });
  pump.wake();
  await quiet();
  expect([seen.rounds, clock.timerCount()]).toEqual([1, 0]);
  isNeeded = true;
  pump.wake();
  await quiet();
  expect([seen.rounds, clock.timerCount()]).toEqual([2, 1]);
  await pump[Symbol.asyncDispose]();
});

test('stopping waits for what runs, and after it nothing runs and no timer is left', async () => {
  const gate = Promise.withResolvers<void>();
  const { pump, clock, seen } = makePump({ act: () => gate.promise });
  pump.wake();
  await quiet();
  pump.wake();
  const stopped = pump[Symbol.asyncDispose]();
  let isStopped = false;
  void stopped.then(() => {
    isStopped = true;
  });
  await quiet();
  expect(isStopped).toBe(false);
  gate.resolve();
  await stopped;
  pump.wake();
  clock.advance(10_000);
  await quiet();
  expect([seen.rounds, clock.timerCount()]).toEqual([1, 0]);
});
