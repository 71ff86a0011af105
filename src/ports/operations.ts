import type { Account, BudgetStatus } from '../core/account.ts';
import type { AccountKey, ProviderKey } from '../core/ids.ts';
import type { PicoUsd } from '../core/money.ts';
import type { PageAnswer, PageQuery } from '../core/page.ts';
import type { Period } from '../core/period.ts';
import type { ProviderState } from '../core/provider-state.ts';
import type { Simulation } from '../core/simulation.ts';
import type { EpochMs } from '../core/time.ts';
import type { BreakerEvent } from './breaker-events.ts';

/** Who did an administrative act, for the audit log. */
export interface Actor {
  readonly name: string;
  /** Null when none was given. */
  readonly reason: string | null;
}

/** How a provider stands, for display: its state and the use of its rolling limit. */
export interface ProviderSurvey {
  readonly state: ProviderState;
  readonly slotsUsed: number;
}

/** The wanted simulation; when it ends is counted from the store's now. */
export type SimulationWish = Omit<Simulation, 'endsAtMs' | 'failuresInjected'> & { readonly durationMs: number };

export interface BudgetWish {
  readonly account: AccountKey;
  readonly cap: PicoUsd;
  readonly period: Period;
  readonly resetUsage: boolean;
}

/** Administrative acts and what operators look at. Each act writes its own audit line in the same commit. */
export interface OperationsPort {
  /** All providers in the registry's order, at one instant; then those that left it since the start. Changes nothing. */
  survey(): Promise<{ readonly nowMs: EpochMs; readonly providers: readonly ProviderSurvey[] }>;
  /**
   * How many requests that an account pays have an attempt under way, on all replicas. Null: that anybody pays. One of a replica that
   * died counts until its lease ends.
   */
  countUnderWay(account: AccountKey | null): Promise<number>;
  simulate(provider: ProviderKey, wish: SimulationWish, actor: Actor): Promise<void>;
  /** Null: all providers. Answers the providers that had one in force. */
  stopSimulation(provider: ProviderKey | null, actor: Actor): Promise<readonly ProviderKey[]>;
  /** Also forgets a throttle and a setting aside. Null when the breaker was closed already. */
  resetBreaker(provider: ProviderKey, actor: Actor): Promise<BreakerEvent | null>;
  /** Switching on also forgets a setting aside. */
  setEnabled(provider: ProviderKey, isEnabled: boolean, actor: Actor): Promise<void>;
  setBudget(wish: BudgetWish, actor: Actor): Promise<Account>;
  /** The account as it stands now; one that was never used looks untouched. */
  account(key: AccountKey): Promise<Account>;
  /** The same of several, at one instant and in their order. */
  accountsOf(keys: readonly AccountKey[]): Promise<readonly Account[]>;
  /** Accounts that have been used or set and have a cap, fullest first. */
  accounts(query: {
    readonly page: PageQuery;
    readonly defaultCap: PicoUsd;
    /** Empty: all. */
    readonly status: readonly BudgetStatus[];
  }): Promise<PageAnswer<Account>>;
}
