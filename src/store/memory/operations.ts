import { type Account, type BudgetStatus, budgetStatusOf, capOf, withBudget } from '../../core/account.ts';
import { resetByHand } from '../../core/breaker.ts';
import { budgetCursorOf, budgetPositionOf, compareFullness, parseBudgetCursor } from '../../core/budget-order.ts';
import type { PicoUsd } from '../../core/money.ts';
import { pageOfSorted } from '../../core/page.ts';
import { usedOf } from '../../core/rate-window.ts';
import { later } from '../../core/time.ts';
import type { OperationsPort } from '../../ports/operations.ts';
import { keepAudit } from './audit.ts';
import { appendEvent } from './events.ts';
import { accountIn, keepAccount, type MemoryState, providerIn, simulationIn, stateOf } from './state.ts';

/** Administrative acts, on memory. */
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
    async countUnderWay(account) {
      const nowMs = state.now();
      const open = state.holds
        .values()
        .filter((hold) => hold.state === 'held' && hold.expiresAtMs > nowMs)
        .filter((hold) => account === null || hold.account === account);
      return new Set(open.map((hold) => hold.requestId)).size;
    },
    async simulate(key, wish, actor) {
      const { durationMs, ...simulation } = wish;
      const endsAtMs = later(state.now(), durationMs);
      providerIn(state, key).simulation = { ...simulation, endsAtMs, failuresInjected: 0 };
      keepAudit(state, actor, { act: 'simulateFailure', target: key, detail: wish });
    },
    async stopSimulation(wanted, actor) {
      const nowMs = state.now();
      const healed = Array.from(state.providers)
        .filter(([key, known]) => (wanted === null || key === wanted) && simulationIn(known, nowMs) !== null)
        .map(([key]) => key);
      for (const key of healed) providerIn(state, key).simulation = null;
      keepAudit(state, actor, { act: 'stopSimulation', target: wanted ?? '*', detail: healed });
      return healed;
    },
    async resetBreaker(key, actor) {
      const provider = providerIn(state, key);
      const change = resetByHand(provider.breaker, actor.reason, state.now());
      provider.breaker = change.breaker;
      provider.throttledUntilMs = null;
      provider.setAside = null;
      keepAudit(state, actor, { act: 'resetBreaker', target: key, detail: {} });
      return change.transition === null ? null : appendEvent(state, key, change.transition);
    },
    async setEnabled(key, isEnabled, actor) {
      const provider = providerIn(state, key);
      provider.isEnabled = isEnabled;
      if (isEnabled) provider.setAside = null;
      keepAudit(state, actor, { act: 'setProviderEnabled', target: key, detail: { enabled: isEnabled } });
    },
    async setBudget(wish, actor) {
      const account = withBudget(accountIn(state, wish.account), wish, state.now());
      keepAccount(state, account);
      const detail = { ...wish, cap: wish.cap.toString() };
      keepAudit(state, actor, { act: 'setBudget', target: wish.account, detail });
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
