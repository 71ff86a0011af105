// What the control room shows, as one immutable picture. Moments are epoch milliseconds by the gateway's clock, money is an exact
// decimal number of US dollars as text, shares lie between 0 and 1.

import type { Candidate, Decision, Fault, PathStep, Routing, Selected } from './decision.ts';
import type { TickPoint, Totals } from './numbers.ts';
import type { ProviderCard } from './provider-card.ts';

export type * from './decision.ts';
export type * from './numbers.ts';
export type * from './provider-card.ts';
export { FAILURE_MODES } from './provider-card.ts';

export interface RoomState {
  readonly connection: Connection;
  /** Null until the gateway has told. */
  readonly gateway: GatewayFacts | null;
  readonly window: WindowName;
  /** Null: the picture moves. */
  readonly paused: Paused | null;
  /** Of the newest tick. Null before the first one. */
  readonly totals: Totals | null;
  /** One point for each tick, oldest first, at most `LIMITS.seriesMax`; begins anew when the window is changed. */
  readonly series: readonly TickPoint[];
  /** In the order of the registry. */
  readonly providers: readonly ProviderCard[];
  /** Newest first, at most `LIMITS.decisionsMax`. */
  readonly decisions: readonly Decision[];
  /** Happenings of requests that this page was too slow for, since it was opened. */
  readonly missedDecisions: number;
  /** Null: none is looked at. */
  readonly selected: Selected | null;
  /** Fullest first, at most `LIMITS.budgetsMax`. */
  readonly budgets: readonly BudgetRow[];
  readonly parts: Readonly<Record<PartName, Part>>;
  readonly tryIt: TryIt;
  /** What came of what the user did, newest last, at most `LIMITS.noticesMax`. */
  readonly notices: readonly Notice[];
}

export const LIMITS = {
  seriesMax: 900,
  decisionsMax: 200,
  budgetsMax: 25,
  breakerHistoryMax: 20,
  noticesMax: 5,
  promptCharsMax: 20_000,
  answerCharsMax: 100_000,
} as const;

export type Connection =
  | { readonly kind: 'connecting' }
  /** Null: no ping has come back yet. */
  | { readonly kind: 'live'; readonly roundTripMs: number | null }
  /** By the browser's own clock. Null: it is being tried now. */
  | { readonly kind: 'lost'; readonly sinceMs: number; readonly retryAtMs: number | null }
  /** The gateway wants a key. */
  | { readonly kind: 'locked'; readonly why: string };

export interface GatewayFacts {
  readonly version: string;
  readonly storeKind: 'POSTGRES' | 'EMBEDDED' | 'MEMORY';
  readonly storeMode: 'NORMAL' | 'SLICES' | 'REFUSING';
  readonly configHash: string;
  /** What was written last is not in force there. */
  readonly isConfigStale: boolean;
  /** Until then it stands that a replica was met just before this one, with another configuration. Null: none was. */
  readonly configsDifferUntilMs: number | null;
  readonly replicaId: string;
  readonly replicas: number;
  readonly areSimulationsEnabled: boolean;
  readonly startedAtMs: number;
  /** What the key may do, in the words of the API; `admin` may do everything. */
  readonly scopes: readonly string[];
}

export const WINDOWS = ['1m', '5m', '15m', '1h'] as const;
export type WindowName = (typeof WINDOWS)[number];

export interface Paused {
  readonly sinceMs: number;
  /** Decisions and breaker changes that came since. */
  readonly newEvents: number;
}

/** Each is fed by one subscription or query of its own, and can be refused on its own. */
export const PARTS = ['gateway', 'providers', 'ticks', 'breakers', 'decisions', 'budgets'] as const;
export type PartName = (typeof PARTS)[number];

export type Part =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'ok' }
  /** A sentence for people; of a missing scope it names the scope. */
  | { readonly kind: 'refused'; readonly code: string; readonly why: string };

export interface BudgetRow {
  readonly id: string;
  readonly level: 'USER' | 'KEY' | 'TEAM';
  /** The id of the user, of the key, or of the team. */
  readonly owner: string;
  readonly limitUsd: string;
  readonly spentUsd: string;
  /** Held for requests that run. */
  readonly reservedUsd: string;
  readonly remainingUsd: string;
  /** Spent and reserved as a share of the limit. */
  readonly utilization: number;
  readonly status: 'OK' | 'WARNING' | 'EXHAUSTED';
  readonly period: 'TOTAL' | 'DAILY' | 'WEEKLY' | 'MONTHLY';
  /** Null: it never starts again. */
  readonly resetsAtMs: number | null;
}

export interface TryIt {
  readonly prompt: string;
  /** Null: the prompt is empty, or nothing came yet. */
  readonly preview: Preview | null;
  /** The preview is of an older prompt. */
  readonly isPreviewStale: boolean;
  readonly answer: Answer;
}

export type Preview =
  | {
      readonly kind: 'routed';
      readonly summary: string;
      /** Who would answer; null: nobody. */
      readonly selected: Candidate | null;
      readonly routing: Routing;
      readonly inputTokens: number;
      /** What would be held from the budget. */
      readonly reservationUsd: string;
      /** Why it would be refused; null: it would not. */
      readonly blockedBy: Fault | null;
    }
  | { readonly kind: 'refused'; readonly why: string };

export type Answer =
  | { readonly kind: 'idle' }
  | {
      readonly kind: 'streaming';
      /** Null until it was routed. */
      readonly requestId: string | null;
      readonly text: string;
      /** Who is answering, as far as is known. */
      readonly provider: string | null;
      readonly path: readonly PathStep[];
      /** The user wants no more of it. It runs until the gateway says how it ended. */
      readonly isStopping: boolean;
    }
  | {
      readonly kind: 'done';
      readonly requestId: string;
      readonly text: string;
      readonly provider: string;
      readonly model: string;
      readonly costUsd: string;
      readonly totalMs: number;
      readonly summary: string;
      readonly path: readonly PathStep[];
    }
  | {
      readonly kind: 'failed';
      readonly requestId: string | null;
      /** What came before the failure. */
      readonly text: string;
      readonly error: Fault;
      readonly costUsd: string | null;
    };

export interface Notice {
  readonly id: number;
  readonly tone: 'done' | 'failed';
  readonly text: string;
  /** Of a failure; null when it went well. */
  readonly code: string | null;
}
