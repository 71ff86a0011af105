import { makeAccount } from '../../src/core/account.ts';
import { type AccountKey, holdId, requestId, userAccount } from '../../src/core/ids.ts';
import { picoUsd, ZERO_USD } from '../../src/core/money.ts';
import type { ChatOutcome } from '../../src/core/outcome.ts';
import type { Payers } from '../../src/core/paying.ts';
import { epochMs } from '../../src/core/time.ts';
import { STANDING_OF_SUCCESS } from '../../src/core/verdict.ts';
import { makeBudgetHub } from '../../src/gateway/budget-hub.ts';
import { OPEN_CALLER } from '../../src/gateway/caller.ts';
import type { BudgetNotice, BudgetWatch, BudgetWatchAnswer } from '../../src/gateway/gateway.ts';
import type { WatchedBudgets } from '../../src/gateway/watched-budgets.ts';
import type { Store } from '../../src/ports/store.ts';
import { makeMemoryStore } from '../../src/store/memory/store.ts';
import { newUuid } from '../../src/wiring/system.ts';
import { makeFakeClock } from '../fakes/clock.ts';
import { SILENT_LOG } from '../fakes/log.ts';
import { quiet, REPLICA } from '../support/gateway-kit.ts';
import { makeModel, makeProvider, makeRegistry } from '../support/registries.ts';
import { type Reader, read } from './reading.ts';

const LIMITLESS = { requestsPerMinute: 1_000_000 };
const REGISTRY = makeRegistry(makeProvider('a', [makeModel('m', '1')], LIMITLESS));

export const CAP = picoUsd(1_000n);

export function watchFor(userId: string | null, signal = new AbortController().signal): BudgetWatch {
  return { caller: OPEN_CALLER, holder: userId === null ? null : { level: 'user', id: userId }, signal };
}

export function readerOf(answer: BudgetWatchAnswer): Reader<BudgetNotice> {
  if (answer.kind !== 'watching') throw new RangeError(answer.message);
  return read(answer.notices);
}

/** A hub on a memory store, which a test may bend. Nothing that happens on the store is heard: it is found by reading. */
export function makeHub(bend: (store: Store) => Partial<Store> = () => ({})) {
  const clock = makeFakeClock();
  const memory = makeMemoryStore({ registry: REGISTRY, now: clock.now, replica: REPLICA });
  const readings: number[] = [];
  const counted: Store = {
    ...memory,
    accountsOf: (keys) => {
      readings.push(keys.length);
      return memory.accountsOf(keys);
    },
  };
  const store = { ...counted, ...bend(counted) };
  const hub = makeBudgetHub({ store, clock, log: SILENT_LOG, budgetDefault: CAP });
  return {
    hub,
    store: memory,
    clock,
    watch: (userId: string | null, signal?: AbortSignal) => hub.watch(watchFor(userId, signal)),
    /** How many accounts each reading had since the last time this was asked. */
    readings: () => readings.splice(0),
    /** Moves the clock, and lets everybody run. */
    async pass(ms = 1_000) {
      clock.advance(ms);
      await quiet();
    },
    [Symbol.asyncDispose]: () => hub[Symbol.asyncDispose](),
  };
}

/** The end of a chat that its payer cannot pay for. */
/** A chat of these payers was refused, because the stopper could not pay. */
export function refuse(hub: WatchedBudgets, payers: Payers, stopper = payers.account): void {
  const why = { kind: 'budgetExceeded', account: makeAccount(stopper, epochMs(0)) };
  hub.noteEnd(payers, { kind: 'ended', why } as Extract<ChatOutcome, { kind: 'ended' }>);
}

/** Holds money as an attempt does. Answers how to end it. */
export async function hold(
  store: Store,
  userId: string,
  amount: bigint,
  also: readonly AccountKey[] = [],
): Promise<(spent: bigint) => Promise<void>> {
  const id = holdId(newUuid());
  const bound = { input: picoUsd(amount), perOutputToken: ZERO_USD, outputTokensMax: 1, outputTokensMin: 1 };
  const admitted = await store.admit({
    requestId: requestId(newUuid()),
    attempt: 1,
    holdId: id,
    account: userAccount(userId),
    also,
    defaultCap: CAP,
    ceiling: null,
    candidates: [{ provider: REGISTRY.providers[0]!.key, model: 'm', bound }],
    attemptMs: 1_000,
  });
  if (admitted.kind !== 'admitted') throw new RangeError(`no leave for ${userId}`);
  return async (spent) => {
    const charge = { kind: 'spent', amount: picoUsd(spent), source: 'reported' } as const;
    await store.settle({ holdId: id, charge, jitter: 0, ...STANDING_OF_SUCCESS });
  };
}

/** Spends as another replica does: this one hears nothing of it. */
export async function spend(store: Store, userId: string, amount: bigint): Promise<void> {
  const settle = await hold(store, userId, amount);
  await settle(amount);
}

/** What was told, in short: `ann reachedHalf`. */
export function wordsOf(notices: readonly BudgetNotice[]): readonly string[] {
  return notices.map(({ kind, budget }) => `${budget.holder.id} ${kind}`);
}

/** Reads all that is told as soon as it is, and hands over what came since the last time. */
export function follow(answer: BudgetWatchAnswer): () => readonly string[] {
  if (answer.kind !== 'watching') throw new RangeError(answer.message);
  const { notices } = answer;
  const told: string[] = [];
  const end = (async () => {
    for await (const notice of notices) told.push(...wordsOf([notice]));
    told.push('end');
  })();
  end.catch((error: unknown) => told.push(String(error)));
  return () => told.splice(0);
}
