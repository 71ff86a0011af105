import { expect, test } from 'vitest';
import { userAccount } from '../../../src/core/ids.ts';
import { SLICE } from '../../../src/core/slices.ts';
import { makeActiveAccounts } from '../../../src/store/outage/active-accounts.ts';

test('after an outage slices are asked for in rounds that the store can do in time, and everybody has a turn', () => {
  let nowMs = 0;
  const active = makeActiveAccounts({ elapsedMs: () => nowMs });
  const names = Array.from({ length: 2 * SLICE.takenAtOnceMax + 1 }, (_, number) => userAccount(`u${number}`));
  for (const account of names) active.note({ account, also: [], defaultCap: null });
  const round = () => active.take(() => false).map(({ account }) => account);
  const rounds = [round(), round(), round(), round()];
  expect(rounds.map(({ length }) => length)).toEqual([SLICE.takenAtOnceMax, SLICE.takenAtOnceMax, 1, 0]);
  expect(new Set(rounds.flat())).toEqual(new Set(names));
  // Those who got none are named again, and stand behind one who was not asked for yet.
  nowMs += SLICE.renewEveryMs;
  const late = userAccount('late');
  active.note({ account: late, also: [], defaultCap: null });
  expect(round()[0]).toBe(late);
});
