import { describe, expect, test } from 'vitest';
import { userAccount } from '../../src/core/ids.ts';
import { StoreUnavailable } from '../../src/core/unavailable.ts';
import { alone } from '../support/alone.ts';
import { quiet } from '../support/gateway-kit.ts';
import { follow, makeHub, readerOf, refuse, spend, wordsOf } from './budget-watching.ts';

const WATCHERS_MAX = 1_000;
const WATCHERS_OF_ALL_MAX = 100;
const ACCOUNTS_MAX = 1_000;

describe('a slow watcher', () => {
  test('is given the newest state of each budget, with all that is true of it, and delays nobody', async () => {
    await using kit = makeHub();
    const slow = readerOf(await kit.watch('ann'));
    const quick = follow(await kit.watch('ann'));
    for (let spent = 0; spent < 95; spent += 1) {
      await spend(kit.store, 'ann', 10n);
      await kit.pass();
    }
    expect(quick()).toEqual(['ann present', 'ann reachedHalf', 'ann reachedFourFifths']);
    const told = await slow.take(3);
    expect(wordsOf(told)).toEqual(['ann present', 'ann reachedHalf', 'ann reachedFourFifths']);
    expect(told.map(({ budget }) => budget.account.posted)).toEqual([0n, 950n, 950n]);
  });

  test('is told of a refusal although the budget was read again since', async () => {
    await using kit = makeHub();
    const slow = readerOf(await kit.watch('ann'));
    refuse(kit.hub, alone(userAccount('ann')));
    await kit.pass(100);
    await spend(kit.store, 'ann', 10n);
    await kit.pass();
    expect(await slow.take(2)).toMatchObject([
      { kind: 'present' },
      { kind: 'refused', budget: { account: { posted: 10n } } },
    ]);
  });
});

describe('the number of watchers', () => {
  test('is limited, also when all come at once, and whoever leaves makes room; one reading serves them all', async () => {
    await using kit = makeHub();
    const leaving = new AbortController();
    const come = Array.from({ length: WATCHERS_MAX + 50 }, (_, at) => kit.watch(`user-${at}`, leaving.signal));
    const kinds = (await Promise.all(come)).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'watching')).toHaveLength(WATCHERS_MAX);
    expect(kinds.filter((kind) => kind === 'tooManyWatchers')).toHaveLength(50);
    expect(kit.readings().length).toBeLessThanOrEqual(2);
    const all = await Promise.all(
      Array.from({ length: WATCHERS_OF_ALL_MAX + 1 }, () => kit.watch(null, leaving.signal)),
    );
    expect(all.map(({ kind }) => kind).indexOf('tooManyWatchers')).toBe(WATCHERS_OF_ALL_MAX);
    leaving.abort();
    expect((await kit.watch('ann')).kind).toBe('watching');
    expect((await kit.watch(null)).kind).toBe('watching');
  });

  test('is not kept up by those who leave before they read, or who stop reading', async () => {
    await using kit = makeHub();
    await spend(kit.store, 'ann', 1n);
    for (let come = 0; come < WATCHERS_MAX + 1; come += 1) {
      const leaving = new AbortController();
      if (come % 2 === 0) leaving.abort();
      await kit.watch('ann', leaving.signal);
      leaving.abort();
      const answer = await kit.watch(null);
      if (answer.kind !== 'watching') throw new RangeError(answer.message);
      for await (const _notice of answer.notices) break;
    }
  });

  test('of all keeps to the fullest accounts, however many there are', async () => {
    await using kit = makeHub();
    const told = follow(await kit.watch(null));
    for (let user = 0; user < 1_500; user += 1) {
      await spend(kit.store, `${user}`, user < 1_000 ? 10n : 600n);
      kit.hub.touch(userAccount(`${user}`));
      if (user % 500 === 499) await kit.pass(100);
    }
    await kit.pass();
    expect(told()).toHaveLength(500);
    kit.readings();
    await kit.pass();
    expect(kit.readings()).toEqual([ACCOUNTS_MAX]);
    // One of the others comes up: it is followed as soon as it is heard of, and told of.
    await spend(kit.store, '7', 700n);
    kit.hub.touch(userAccount('7'));
    await kit.pass(100);
    expect(told()).toEqual(['7 reachedHalf']);
  });

  test('nothing is read while nobody watches, and no timer is left', async () => {
    await using kit = makeHub();
    const leaving = new AbortController();
    const told = follow(await kit.watch('ann', leaving.signal));
    await quiet();
    leaving.abort();
    await kit.pass();
    expect(told()).toEqual(['ann present', 'end']);
    kit.readings();
    kit.hub.touch(userAccount('ann'));
    await kit.pass(10_000);
    expect(kit.readings()).toEqual([]);
    expect(kit.clock.timerCount()).toBe(0);
  });
});

describe('when the store stumbles', () => {
  test('whoever comes is told so; whoever watches is told all when it is back, refusals too', async () => {
    let isAway = true;
    await using kit = makeHub((store) => ({
      accountsOf: async (keys) => {
        if (isAway) throw new StoreUnavailable('gone');
        return store.accountsOf(keys);
      },
    }));
    await expect(kit.watch('ann')).rejects.toThrow(StoreUnavailable);
    isAway = false;
    const told = follow(await kit.watch('ann'));
    await quiet();
    isAway = true;
    refuse(kit.hub, alone(userAccount('ann')));
    await spend(kit.store, 'ann', 900n);
    for (let second = 0; second < 3; second += 1) await kit.pass();
    expect(told()).toEqual(['ann present']);
    isAway = false;
    await kit.pass();
    expect(told()).toEqual(['ann reachedHalf', 'ann reachedFourFifths', 'ann refused']);
  });

  test('a watcher gets the end of its stream when the gateway closes', async () => {
    const kit = makeHub();
    const told = follow(await kit.watch('ann'));
    await quiet();
    await kit[Symbol.asyncDispose]();
    await quiet();
    expect(told()).toEqual(['ann present', 'end']);
    expect(kit.clock.timerCount()).toBe(0);
  });
});
