import { type Account, type BudgetStatus, budgetStatusOf, capOf, withBudget } from '../../core/account.ts';
import { resetByHand } from '../../core/breaker.ts';
import { budgetCursorOf, budgetPositionOf, compareFullness, parseBudgetCursor } from '../../core/budget-order.ts';
import type { PicoUsd } from '../../core/money.ts';
import { pageOfSorted } from '../../core/page.ts';
import { usedOf } from '../../core/rate-window.ts';
import { later } from '../../core/time.ts';
import type { OperationsPort } from '../../ports/operations.ts';
import { appendEvent } from './events.ts';
import { accountIn, keepAccount, type MemoryState, providerIn, simulationIn, stateOf } from './state.ts';

/** Administrative acts, on memory. There is no audit log: it would not outlive the process; the service's log has the acts. */
export function makeMemoryOperations(state: MemoryState): OperationsPort {
  return {
    async survey() {
      const nowMs = state.now();
      const providers = Array.from(state.providers, ([key, known]) => ({
        state: stateOf(state, key),
        slotsUsed: usedOf(known.window, nowMs),
      }));
      return { nowMs, providers };
    },
    async countUnderWay() {
      const nowMs = state.now();
      const open = state.holds.values().filter((hold) => hold.state === 'held' && hold.expiresAtMs > nowMs);
      return new Set(open.map((hold) => hold.requestId)).size;
    },
    async simulate(key, wish) {
      const { durationMs, ...simulation } = wish;
      const endsAtMs = later(state.now(), durationMs);
      providerIn(state, key).simulation = { ...simulation, endsAtMs, failuresInjected: 0 };
    },
    async stopSimulation(wanted) {
      const nowMs = state.now();
      const healed = Array.from(state.providers)
        .filter(([key, known]) => (wanted === null || key === wanted) && simulationIn(known, nowMs) !== null)
        .map(([key]) => key);
      for (const key of healed) providerIn(state, key).simulation = null;
      return healed;
    },
    async resetBreaker(key, actor) {
      const provider = providerIn(state, key);
      const change = resetByHand(provider.breaker, actor.reason, state.now());
      provider.breaker = change.breaker;
      provider.throttledUntilMs = null;
      provider.setAside = null;
      return change.transition === null ? null : appendEvent(state, key, change.transition);
    },
    async setEnabled(key, isEnabled) {
      const provider = providerIn(state, key);
      provider.isEnabled = isEnabled;
      if (isEnabled) provider.setAside = null;
    },
    async setBudget(wish) {
      const account = withBudget(accountIn(state, wish.account), wish, state.now());
      keepAccount(state, account);
      return account;
    },
    async account(key) {
      return accountIn(state, key);
    },
    async accountsOf(keys) {
      return keys.map((key) => accountIn(state, key));
    },
    async accounts({ page, defaultCap, status }) {
      const positionOf = (account: Parameters<typeof budgetPositionOf>[0]) => budgetPositionOf(account, defaultCap);
      const accounts = Array.from(state.accounts.keys(), (key) => accountIn(state, key))
        .filter((account) => isListed(account, { defaultCap, status }))
        .toSorted((first, second) => compareFullness(positionOf(first), positionOf(second)));
      return pageOfSorted(accounts, page, {
        cursorOf: (account) => budgetCursorOf(account, defaultCap),
        parseCursor: parseBudgetCursor,
        compare: (account, position) => compareFullness(positionOf(account), position),
      });
    },
  };
}

/** Whether an account is under a cap, and in one of the states. */
function isListed(
  account: Account,
  of: { readonly defaultCap: PicoUsd; readonly status: readonly BudgetStatus[] },
): boolean {
  const cap = capOf(account, of.defaultCap);
  return cap !== null && (of.status.length === 0 || of.status.includes(budgetStatusOf(account, cap)));
}
