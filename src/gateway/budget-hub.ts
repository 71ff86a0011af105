import { type BudgetSight, newsSince, unseen } from '../core/budget-news.ts';
import type { AccountKey } from '../core/ids.ts';
import type { PicoUsd } from '../core/money.ts';
import { payersOf } from '../core/paying.ts';
import { StoreUnavailable } from '../core/unavailable.ts';
import { type BudgetWatcher, makeBudgetAudience, type Sighting } from './budget-audience.ts';
import { makeBudgetReader, type Newcomer } from './budget-reader.ts';
import { budgetFrom } from './budgets.ts';
import { budgetScopeOf, FOREIGN_BUDGET } from './caller.ts';
import type { GatewayNeeds } from './deps.ts';
import type { BudgetNotice, BudgetWatch, BudgetWatchAnswer } from './gateway.ts';
import { makeNewestBox } from './newest-box.ts';
import { startPump } from './pump.ts';
import { openRefusalWire } from './refusal-wire.ts';
import { makeWatchPlaces } from './watch-places.ts';
import type { WatchedBudgets } from './watched-budgets.ts';

const HUB = {
  watchersMax: 1_000,
  /** Each of these is told of every account that is followed. */
  watchersOfAllMax: 100,
  /** Everything that is followed is read so often, whatever is heard. */
  pollMs: 1_000,
  /** What is heard within this time is read at once. */
  gatherMs: 100,
  /** What is heard of more accounts at once is found by the next reading of everything. */
  heardMax: 1_000,
  /** Of so many accounts one watcher can have something to be told, and be known to have been told. */
  boxMax: 2_000,
} as const;

/**
 * Tells everyone who watches budgets what happens to them. All it tells of an account is read from the store, one reading after the
 * other: the answers of acts that run side by side come in any order, and a late one would look like a change. What is told to it
 * only says when to read.
 */
export interface BudgetHub extends WatchedBudgets, AsyncDisposable {
  watch(watch: BudgetWatch): Promise<BudgetWatchAnswer>;
}

export function makeBudgetHub(needs: Pick<GatewayNeeds, 'store' | 'clock' | 'log' | 'budgetDefault'>): BudgetHub {
  const { clock, log, budgetDefault } = needs;
  const places = { one: makeWatchPlaces(HUB.watchersMax), everybody: makeWatchPlaces(HUB.watchersOfAllMax) };
  const audience = makeBudgetAudience();
  const reader = makeBudgetReader(needs, audience);
  let newcomers: Newcomer[] = [];
  /** Accounts to be read, and whether a request of theirs was refused. */
  let heard = new Map<AccountKey, boolean>();
  let gathering: Disposable | null = null;

  const hear = (account: AccountKey, isRefused: boolean) => {
    if (!audience.isForAll() && !audience.isNamed(account)) return;
    if (heard.size >= HUB.heardMax && !heard.has(account)) return;
    heard.set(account, isRefused || heard.get(account) === true);
    gathering ??= clock.after(HUB.gatherMs, () => {
      gathering = null;
      pump.wake();
    });
  };
  const look = async () => {
    const arrived = newcomers;
    const noted = heard;
    newcomers = [];
    heard = new Map();
    try {
      await reader.read(arrived, noted);
    } catch (error) {
      for (const [account, isRefused] of noted) if (isRefused) heard.set(account, true);
      for (const { present } of arrived) present.reject(error);
      if (!(error instanceof StoreUnavailable)) throw error;
      log.debug('budgets cannot be watched: the store is away', { reason: error.reason });
    }
  };
  const pump = startPump({ clock, log, everyMs: HUB.pollMs, isNeeded: () => !audience.isEmpty(), act: look });
  const wire = openRefusalWire(needs, (account) => hear(account, true));

  return {
    touch: (account) => hear(account, false),
    noteEnd(payers, outcome) {
      const isRefused = outcome.kind === 'ended' && outcome.why.kind === 'budgetExceeded';
      // Those whose money would have done are not in need.
      const stopper = isRefused ? outcome.why.account.key : null;
      for (const account of payersOf(payers)) hear(account, account === stopper);
      if (stopper !== null) wire.tell(stopper);
    },
    async watch({ caller, holder, signal }) {
      const scope = budgetScopeOf(caller, holder);
      if (scope === null) return { kind: 'foreign', message: FOREIGN_BUDGET };
      const refusal = places[scope.kind].refuse(caller);
      if (refusal !== null) return { kind: 'tooManyWatchers', message: refusal };
      const watcher = { scope, box: makeBox(), sights: new Map() };
      const present = Promise.withResolvers<readonly Sighting[]>();
      const leave = places[scope.kind].take({ caller, signal }, () => {
        watcher.box.close();
        audience.delete(watcher);
        present.resolve([]);
      });
      newcomers.push({ watcher, signal, present });
      pump.wake();
      try {
        return { kind: 'watching', notices: noticesOf(watcher, await present.promise, { budgetDefault, leave }) };
      } catch (error) {
        leave();
        throw error;
      }
    },
    async [Symbol.asyncDispose]() {
      gathering?.[Symbol.dispose]();
      wire[Symbol.dispose]();
      await pump[Symbol.asyncDispose]();
      for (const { box } of audience.all()) box.close();
    },
  };
}

function makeBox() {
  return makeNewestBox<AccountKey, Sighting>(HUB.boxMax, (older, newer) => ({
    ...newer,
    isRefused: older.isRefused || newer.isRefused,
  }));
}

/** Everything one watcher is told, in order: the present states, then what happened to each account since it was told of it last. */
async function* noticesOf(
  { box, sights }: BudgetWatcher,
  present: readonly Sighting[],
  of: { readonly budgetDefault: PicoUsd; readonly leave: () => void },
): AsyncGenerator<BudgetNotice> {
  const { budgetDefault, leave } = of;
  try {
    for (const { account, atMs } of present) {
      const budget = budgetFrom(account, budgetDefault);
      if (budget !== null) yield { kind: 'present', budget, atMs };
    }
    for (let sighting = await box.take(); sighting !== null; sighting = await box.take()) {
      const { account, atMs, isRefused } = sighting;
      const { news, sight } = newsSince(sights.get(account.key) ?? unseen(account), account, budgetDefault);
      remember(sights, sight);
      const budget = budgetFrom(account, budgetDefault);
      if (budget === null) continue;
      for (const kind of news) yield { kind, budget, atMs: kind === 'reset' ? account.periodStartedAtMs : atMs };
      if (isRefused) yield { kind: 'refused', budget, atMs };
    }
  } finally {
    leave();
  }
}

/** Of more accounts than anybody follows, the one that was told of longest ago is forgotten. */
function remember(sights: BudgetWatcher['sights'], sight: BudgetSight): void {
  const { key } = sight.account;
  sights.delete(key);
  sights.set(key, sight);
  if (sights.size <= HUB.boxMax) return;
  const [oldest] = sights.keys();
  if (oldest !== undefined) sights.delete(oldest);
}
