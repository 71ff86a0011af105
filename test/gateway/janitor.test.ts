import { expect, test } from 'vitest';
import { StoreUnavailable } from '../../src/core/unavailable.ts';
import { startJanitor } from '../../src/gateway/janitor.ts';
import type { LogKeeping } from '../../src/ports/upkeep.ts';
import { makeMemoryStore } from '../../src/store/memory/store.ts';
import { makeFakeClock } from '../fakes/clock.ts';
import { SILENT_LOG } from '../fakes/log.ts';
import { quiet, REPLICA } from '../support/gateway-kit.ts';
import { SEED_REGISTRY } from '../support/registries.ts';

const MINUTE_MS = 60_000;

/** A janitor whose store answers as it is told, and then rests. Null: it is away. */
function makeJanitor(answers: readonly (LogKeeping | null)[]) {
  const clock = makeFakeClock();
  const asked: number[] = [];
  const left = answers.values();
  const store = {
    ...makeMemoryStore({ registry: SEED_REGISTRY, now: clock.now, replica: REPLICA }),
    async keepLog({ retentionDays }: { readonly retentionDays: number }): Promise<LogKeeping> {
      asked.push(retentionDays);
      const next = left.next();
      if (next.done) return { kind: 'rested' };
      if (next.value === null) throw new StoreUnavailable('away');
      return next.value;
    },
  };
  const janitor = startJanitor({ store, clock, log: SILENT_LOG, logRetentionDays: 7 });
  /** Moves on minute by minute, as pumps do. */
  const pass = async (minutes: number) => {
    for (let minute = 0; minute < minutes; minute += 1) {
      await quiet();
      clock.advance(MINUTE_MS);
    }
    await quiet();
  };
  return { janitor, asked, pass };
}

const WORKED = { kind: 'worked', what: 'something' } as const;
const HINDERED = { kind: 'hindered', why: 'somebody reads' } as const;

test('the log is kept at the start and every hour, for as long as the setting says', async () => {
  const { janitor, asked, pass } = makeJanitor([]);
  await pass(59);
  expect(asked).toEqual([7]);
  await pass(62);
  expect(asked).toEqual([7, 7, 7]);
  await janitor[Symbol.asyncDispose]();
});

test('all that is due is done at once, piece by piece', async () => {
  const { janitor, asked, pass } = makeJanitor([WORKED, WORKED, WORKED]);
  await pass(0);
  expect(asked).toHaveLength(4);
  await janitor[Symbol.asyncDispose]();
});

test('what could not be done is tried again a minute later, not an hour', async () => {
  const { janitor, asked, pass } = makeJanitor([HINDERED, null, WORKED, HINDERED]);
  await pass(0);
  expect(asked).toHaveLength(1);
  await pass(1);
  expect(asked).toHaveLength(2);
  await pass(1);
  expect(asked).toHaveLength(4);
  await pass(1);
  expect(asked).toHaveLength(5);
  await pass(30);
  expect(asked).toHaveLength(5);
  await janitor[Symbol.asyncDispose]();
});
