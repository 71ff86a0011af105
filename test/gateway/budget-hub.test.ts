import { describe, expect, test } from 'vitest';
import { ANONYMOUS, userAccount } from '../../src/core/ids.ts';
import { picoUsd } from '../../src/core/money.ts';
import type { Store } from '../../src/ports/store.ts';
import type { OnMessage } from '../../src/ports/wire.ts';
import { alone } from '../support/alone.ts';
import { quiet, REPLICA } from '../support/gateway-kit.ts';
import { CAP, follow, hold, makeHub, readerOf, refuse, spend, wordsOf } from './budget-watching.ts';

const DAY_MS = 86_400_000;
const ACTOR = { name: 'tester', reason: null };

function setBudget(store: Store, userId: string, wish: Partial<Parameters<Store['setBudget']>[0]>) {
  return store.setBudget(
    { account: userAccount(userId), cap: CAP, period: 'total', resetUsage: false, ...wish },
    ACTOR,
  );
}

describe('a watcher of one budget', () => {
  test('is told how it stands, then each threshold as it is reached, once and in order', async () => {
    await using kit = makeHub();
    await spend(kit.store, 'ann', 100n);
    const told = follow(await kit.watch('ann'));
    await quiet();
    expect(told()).toEqual(['ann present']);
    const steps: (readonly string[])[] = [];
    for (const amount of [300n, 100n, 0n, 250n, 250n]) {
      await spend(kit.store, 'ann', amount);
      await kit.pass();
      steps.push(told());
    }
    expect(steps).toEqual([[], ['ann reachedHalf'], [], [], ['ann reachedFourFifths', 'ann exhausted']]);
  });

  test('is told everything on the way when it all happens at once', async () => {
    await using kit = makeHub();
    const told = follow(await kit.watch('ann'));
    await spend(kit.store, 'ann', 1_000n);
    await kit.pass();
    expect(told()).toEqual(['ann present', 'ann reachedHalf', 'ann reachedFourFifths', 'ann exhausted']);
  });

  test('is not told again of what the present state shows, and nothing of others', async () => {
    await using kit = makeHub();
    await spend(kit.store, 'ann', 600n);
    const told = follow(await kit.watch('ann'));
    await spend(kit.store, 'bob', 900n);
    await spend(kit.store, 'ann', 10n);
    await kit.pass();
    expect(told()).toEqual(['ann present']);
  });

  test('is told nothing while a request holds all of it, and that all is gone once it is spent', async () => {
    await using kit = makeHub();
    const told = follow(await kit.watch('ann'));
    const settle = await hold(kit.store, 'ann', 1_000n);
    await kit.pass();
    expect(told()).toEqual(['ann present']);
    await settle(100n);
    await kit.pass();
    expect(told()).toEqual([]);
    await spend(kit.store, 'ann', 900n);
    await kit.pass();
    expect(told()).toEqual(['ann reachedHalf', 'ann reachedFourFifths', 'ann exhausted']);
  });

  test('is told what an operator does, and of thresholds anew under the new limit', async () => {
    await using kit = makeHub();
    await spend(kit.store, 'ann', 600n);
    const reader = readerOf(await kit.watch('ann'));
    await setBudget(kit.store, 'ann', { cap: picoUsd(700n) });
    await kit.pass();
    await setBudget(kit.store, 'ann', { cap: picoUsd(2_000n) });
    await kit.pass();
    await spend(kit.store, 'ann', 400n);
    await kit.pass();
    // The reader is slow: the changes between are one, and what is true of the newest is told.
    const told = await reader.take(2);
    expect(wordsOf(told)).toEqual(['ann present', 'ann changed']);
    expect(told[1]?.budget).toMatchObject({ cap: 2_000n, account: { posted: 1_000n } });
  });

  test('is told of a new period when it begins, with its time, and of thresholds anew', async () => {
    await using kit = makeHub();
    const startMs = kit.clock.now();
    await setBudget(kit.store, 'ann', { period: 'daily' });
    const reader = readerOf(await kit.watch('ann'));
    await spend(kit.store, 'ann', 900n);
    await kit.pass();
    expect(wordsOf(await reader.take(3))).toEqual(['ann present', 'ann reachedHalf', 'ann reachedFourFifths']);
    await kit.pass(DAY_MS + 300);
    expect(await reader.next()).toMatchObject({
      kind: 'reset',
      atMs: startMs + DAY_MS,
      budget: { account: { posted: 0n } },
    });
    await spend(kit.store, 'ann', 500n);
    await kit.pass();
    expect(wordsOf([await reader.next()])).toEqual(['ann reachedHalf']);
  });

  test('of a user whom nobody knows yet is told how an untouched budget stands, and nothing while it is', async () => {
    await using kit = makeHub();
    const told = follow(await kit.watch('new'));
    for (let second = 0; second < 5; second += 1) await kit.pass();
    expect(told()).toEqual(['new present']);
  });
});

describe('a watcher of everybody', () => {
  test('is told of all budgets, fullest first, then of each what happens to it', async () => {
    await using kit = makeHub();
    await spend(kit.store, 'ann', 100n);
    await spend(kit.store, 'bob', 600n);
    await spend(kit.store, 'cid', 300n);
    const told = follow(await kit.watch(null));
    await quiet();
    expect(told()).toEqual(['bob present', 'cid present', 'ann present']);
    await spend(kit.store, 'ann', 450n);
    await spend(kit.store, 'bob', 250n);
    await kit.pass();
    expect(told().toSorted()).toEqual(['ann reachedHalf', 'bob reachedFourFifths']);
  });

  test('is told of users who come later what is true of them, within five seconds', async () => {
    await using kit = makeHub();
    const told = follow(await kit.watch(null));
    await spend(kit.store, 'ann', 850n);
    await spend(kit.store, 'bob', 10n);
    for (let second = 0; second < 5; second += 1) await kit.pass();
    expect(told()).toEqual(['ann reachedHalf', 'ann reachedFourFifths']);
    await spend(kit.store, 'bob', 500n);
    await kit.pass();
    expect(told()).toEqual(['bob reachedHalf']);
  });

  test('is told at once of users that this replica hears of', async () => {
    await using kit = makeHub();
    const told = follow(await kit.watch(null));
    await quiet();
    await spend(kit.store, 'ann', 600n);
    kit.hub.touch(userAccount('ann'));
    await kit.pass(100);
    expect(told()).toEqual(['ann reachedHalf']);
  });

  test('is not told of the anonymous account, which has no budget', async () => {
    await using kit = makeHub();
    const told = follow(await kit.watch(null));
    const nothing = { account: ANONYMOUS, cap: picoUsd(0n), period: 'total', resetUsage: false } as const;
    await kit.store.setBudget(nothing, ACTOR);
    kit.hub.touch(ANONYMOUS);
    await kit.pass();
    expect(told()).toEqual([]);
  });
});

describe('what is heard', () => {
  test('is read once, a moment later, and only what somebody watches', async () => {
    await using kit = makeHub();
    const told = follow(await kit.watch('ann'));
    follow(await kit.watch('bob'));
    await quiet();
    kit.readings();
    await spend(kit.store, 'ann', 500n);
    for (let chat = 0; chat < 100; chat += 1) for (const name of ['ann', 'cid']) kit.hub.touch(userAccount(name));
    await kit.pass(99);
    expect(kit.readings()).toEqual([]);
    await kit.pass(1);
    expect(kit.readings()).toEqual([1]);
    expect(told()).toEqual(['ann present', 'ann reachedHalf']);
  });

  test('is refused requests, told together with how the budget stands', async () => {
    await using kit = makeHub();
    await spend(kit.store, 'ann', 990n);
    const reader = readerOf(await kit.watch('ann'));
    for (let sent = 0; sent < 10; sent += 1) refuse(kit.hub, alone(userAccount('ann')));
    await kit.pass(100);
    expect(await reader.take(2)).toMatchObject([
      { kind: 'present' },
      { kind: 'refused', budget: { account: { posted: 990n } } },
    ]);
  });

  test('from other replicas is what was refused there, and goes to them in messages that carry it', async () => {
    const listeners: OnMessage[] = [];
    const said: string[] = [];
    await using kit = makeHub(() => ({
      publish: (_topic, text) => void said.push(text),
      onMessage: (_topic, act) => {
        listeners.push(act);
        return { [Symbol.dispose]: () => undefined };
      },
    }));
    const told = follow(await kit.watch('ann'));
    for (const text of ['no JSON', '{"of": "another version"}', JSON.stringify(['user:ann', 'user:bob'])]) {
      for (const hear of listeners) hear(text, REPLICA);
    }
    await kit.pass(100);
    expect(told()).toEqual(['ann present', 'ann refused']);
    for (let user = 0; user < 600; user += 1) {
      refuse(kit.hub, alone(userAccount(`${user}`.padStart(200, 'é'))));
    }
    await kit.pass(250);
    expect(said).toHaveLength(1);
    const accounts: readonly string[] = JSON.parse(said[0]!);
    expect(accounts.length).toBeGreaterThan(10);
    expect(accounts[0]).toContain('user:é');
    expect(Buffer.byteLength(said[0]!)).toBeLessThanOrEqual(7_500);
  });
});
