import type { Account, BudgetStatus } from '../core/account.ts';
import type { AnalyticsQuery, AnalyticsReport, MetricSet, RequestFilter, Window } from '../core/analytics.ts';
import type { BudgetNews } from '../core/budget-news.ts';
import type { LimitsSeen } from '../core/caller-limits.ts';
import type { ChatRequest } from '../core/chat-request.ts';
import type { RequestContent } from '../core/content.ts';
import type { CandidateReport, RoutingDecision } from '../core/decision.ts';
import type { Fleet } from '../core/fleet.ts';
import type { AccountKey, ApiKeyId, Holder, Level, ProviderKey, ReplicaId, RequestId } from '../core/ids.ts';
import type { PicoUsd } from '../core/money.ts';
import type { ChatOutcome, NotRun, RateLimitState, TooLarge, Unanswered } from '../core/outcome.ts';
import type { PageAnswer, PageQuery } from '../core/page.ts';
import type { Period } from '../core/period.ts';
import type { RawChat } from '../core/raw-chat.ts';
import type { Registry } from '../core/registry.ts';
import type { RequestEvent } from '../core/request-event.ts';
import type { Door, RequestOrder, RequestRecord, RequestView, RoutedView } from '../core/request-record.ts';
import type { FailureMode } from '../core/simulation.ts';
import type { StoreMode } from '../core/store-mode.ts';
import type { Pace, Tick } from '../core/tick.ts';
import type { EpochMs } from '../core/time.ts';
import type { BreakerEvent } from '../ports/breaker-events.ts';
import type { ProviderSurvey } from '../ports/operations.ts';
import type { OnDelta } from '../ports/provider.ts';
import type { StoreKind } from '../ports/store.ts';
import type { ChatSpan } from '../ports/traces.ts';
import type { BreakerNotice } from './breaker-notice.ts';
import type { Caller } from './caller.ts';
import type { Configuration } from './configuration.ts';
import type { KeyDirectory } from './key-directory.ts';
import type { FeatureDisabled, InvalidInput, NotFound } from './refusals.ts';
import type { StreamPiece } from './stream-log.ts';

export type { ChatSpan } from '../ports/traces.ts';
export type { FeatureDisabled, InvalidInput, NotFound } from './refusals.ts';

/** What the doors may ask of the gateway. One call each; nothing here throws for an ending that a caller can expect. */
export interface Gateway extends KeyDirectory {
  /** As it is in force now: what is asked twice may have changed. */
  readonly registry: Registry;
  /** The same of the configuration in it. */
  readonly info: GatewayInfo;
  /** Why what the operator wrote last is not in force. Null: it is. It may name files: it is for operators only. */
  configFault(): string | null;
  /** The replicas that share the store, as this one last saw them. */
  fleet(): Fleet;

  /** Who comes with this secret. Throws StoreUnavailable when nobody can tell. */
  authenticate(secret: string): Promise<Authenticated>;
  /** Calls back, within a few seconds, for each key that works no more; it may do so more than once. */
  onKeyEnded(act: (id: ApiKeyId) => void): Disposable;

  /** Checks a chat as a door hands it over: every problem, not only the first. */
  parseChat(raw: RawChat): ParsedChat;
  /** Routes, calls, pays and records one chat. With an idempotency key, once for all sendings: the others are told how it ended. */
  chat(call: ChatCall): Promise<ChatOutcome | NotRun>;
  /** The same, told piece by piece. Throws what `chat` throws. */
  stream(call: StreamCall): AsyncIterable<StreamPiece>;
  /** Streams with an idempotency key that run although nobody reads them: they are load all the same, and are let finish. */
  unreadStreams(): UnreadStreams;
  /** Plans one chat with the same code, and changes nothing. */
  preview(call: ChatCall): Promise<Preview>;

  /** The caller's own limit of requests, as it stands. Null: it has none. */
  rateLimitOf(caller: Caller): Promise<RateLimitState | null>;
  /** The caller's limits as this replica last saw them. Null: it has none, or nothing of it was seen here. */
  limitsSeen(caller: Caller): LimitsSeen | null;

  /** All providers in the registry's order, then those that left it since the start. */
  surveyProviders(): Promise<{ readonly nowMs: EpochMs; readonly providers: readonly ProviderSurvey[] }>;
  /** Out of the requests that the caller may see. */
  statsOf(provider: ProviderKey, window: Window, caller: Caller): Promise<MetricSet>;
  breakerHistory(provider: ProviderKey, page: PageQuery): Promise<PageAnswer<BreakerEvent>>;
  findBreakerEvent(sequence: number): Promise<BreakerEvent | null>;
  /** Present states first, or everything after `after`; then every change as it happens, until `signal` aborts. */
  watchBreakers(watch: BreakerWatch): Promise<BreakerWatchAnswer>;

  /** As it is now, when it runs on this replica; otherwise as the log has it. Null: neither, or it is not the caller's to see. */
  findRequest(id: RequestId, caller: Caller): Promise<RequestView | null>;
  /** The same, for whoever was given the request's answer: there is nothing more in it to keep from them. */
  findAnswered(id: RequestId): Promise<RequestView | null>;
  /** A request that was found, with its decision, waiting a moment for the log when another replica has it. Null: nobody can tell, or not yet. */
  completeRequest(view: RequestView, signal: AbortSignal): Promise<RoutedView | null>;
  /** What was asked and answered. Null when the caller may not read it, or nothing is kept of it. */
  contentOf(view: RequestView, caller: Caller): Promise<RequestContent | null>;
  /** Those that run here first, then everything that happens to requests on all replicas, until `signal` aborts. Only what the caller may see. */
  watchRequests(watch: RequestWatch): RequestWatchAnswer;
  /** Stops a chat, wherever it runs, and answers how it ended. What was received is paid for. Others' chats are not found. */
  cancelChat(wish: CancelWish): Promise<{ readonly kind: 'stopped'; readonly request: RequestView } | NotFound>;
  /** A summary at once of what the caller may see, and another at every step of the pace, until `signal` aborts. Throws when the first one cannot be made. */
  watchTicks(watch: TickWatch): Promise<TickWatchAnswer>;
  pageRequests(query: {
    readonly page: PageQuery;
    readonly filter: RequestFilter;
    readonly order: RequestOrder;
    readonly caller: Caller;
  }): Promise<PageAnswer<RequestRecord>>;
  /** Out of the requests that the caller may see, as pages are. */
  analyse(query: AnalyticsQuery, caller: Caller): Promise<AnalyticsReport>;
  /** The store's clock, in which windows such as `last: "PT1H"` end. */
  now(): EpochMs;
  /** What becomes of requests, as far as it depends on the store. */
  storeMode(): StoreMode;

  /** The account of a holder, and the cap in force. A user who never spent has the default budget, untouched. Null: no cap is in force. */
  findBudget(holder: Holder): Promise<Budget | null>;
  /** The same of an account that pays first for some request. Null for the anonymous account. */
  payersBudget(account: AccountKey): Promise<Budget | null>;
  /** A caller's own at a level; at that of users the one that the caller's requests spend first. Null: there is none, or no cap is in force. */
  ownBudgetOf(caller: Caller, level: Level): Promise<Budget | null>;
  /** The budget behind an account as it stood. Null: no cap is in force. */
  budgetIn(account: Account): Budget | null;
  pageBudgets(page: PageQuery, status: readonly BudgetStatus[]): Promise<PageAnswer<Budget>>;
  setBudget(wish: SetBudget, caller: Caller): Promise<{ readonly kind: 'set'; readonly budget: Budget } | InvalidInput>;
  /** The present state of each budget first, then what happens to it, until `signal` aborts. Throws when the first cannot be read. */
  watchBudgets(watch: BudgetWatch): Promise<BudgetWatchAnswer>;

  simulateFailure(wish: SimulateFailure, caller: Caller): Promise<SimulateAnswer>;
  /** Null: all providers. Answers those that had one in force. */
  stopSimulation(
    provider: string | null,
    caller: Caller,
  ): Promise<{ readonly kind: 'stopped'; readonly providers: readonly ProviderKey[] } | NotFound>;
  /** `event` is null when the breaker was closed already. */
  resetBreaker(
    provider: string,
    reason: string | null,
    caller: Caller,
  ): Promise<
    { readonly kind: 'reset'; readonly provider: ProviderKey; readonly event: BreakerEvent | null } | NotFound
  >;
  setProviderEnabled(
    wish: { readonly provider: string; readonly isEnabled: boolean; readonly reason: string | null },
    caller: Caller,
  ): Promise<{ readonly kind: 'set'; readonly provider: ProviderKey } | NotFound>;
}

/** What stays as it is while a replica runs. */
export interface ReplicaInfo {
  readonly version: string;
  readonly storeKind: StoreKind;
  readonly replica: ReplicaId;
  readonly startedAtMs: EpochMs;
  /** How many days prompts and answers are kept. Null: they are not. */
  readonly contentKeptDays: number | null;
}

export interface GatewayInfo extends ReplicaInfo, Pick<Configuration, 'configHash' | 'areSimulationsEnabled'> {}

export type Authenticated =
  | { readonly kind: 'known'; readonly caller: Caller }
  /** `why` is for the log and the message: none of them says whether some other key exists. */
  | { readonly kind: 'refused'; readonly why: 'malformed' | 'unknown' | 'expired' | 'revoked' };

export interface ChatCall {
  /** The id under which it is recorded; also the `x-request-id` of the answer. */
  readonly requestId: RequestId;
  readonly request: ChatRequest;
  readonly caller: Caller;
  readonly door: Door;
  /** Aborted when the caller goes away. A chat with an idempotency key runs on: its caller may come back for the answer. */
  readonly signal: AbortSignal;
  /** Told each piece of the answer as it comes; then the providers are asked for streams. Null: only the whole answer is wanted. */
  readonly onDelta: OnDelta | null;
  /** Told of each step on its way. */
  readonly span: ChatSpan;
}

/** A chat whose answer is wanted piece by piece. */
export interface StreamCall extends Omit<ChatCall, 'onDelta'> {
  /** The place of the last event that the caller has, of a stream with the same idempotency key. Null: none. */
  readonly resumeAfter: number | null;
}

export interface UnreadStreams {
  readonly count: number;
  /** Resolves when none of them runs any more. */
  whenEnded(): Promise<void>;
}

export type ParsedChat = { readonly kind: 'valid'; readonly request: ChatRequest } | InvalidInput;

export interface Preview {
  readonly decision: RoutingDecision;
  /** Null when nobody is eligible. */
  readonly selected: CandidateReport | null;
  /** Null when the request would be taken. */
  readonly blockedBy: Unanswered | TooLarge | null;
  readonly estimatedInputTokens: number;
  /** What would be held for the first attempt. Zero when it would be refused. */
  readonly reservation: PicoUsd;
}

export interface BreakerWatch {
  /** Null: all providers. */
  readonly provider: ProviderKey | null;
  /** Send the present state of each breaker first; of no effect with `after`, which has its own beginning. */
  readonly includeCurrent: boolean;
  /** Sequence of the last event already received. Null: none. */
  readonly after: number | null;
  readonly caller: Caller;
  readonly signal: AbortSignal;
}

export type BreakerWatchAnswer =
  | { readonly kind: 'watching'; readonly notices: AsyncIterable<BreakerNotice> }
  | { readonly kind: 'unknownAfter'; readonly message: string }
  | { readonly kind: 'tooManyWatchers'; readonly message: string };

export interface RequestWatch {
  /** What it wants at this moment. Each event is measured by the request as it was then. */
  readonly filter: () => RequestFilter;
  readonly caller: Caller;
  readonly signal: AbortSignal;
}

/** What a watcher of requests is told. */
export interface RequestNotice {
  readonly event: RequestEvent;
  /** Events that it missed before this one: because it was slow, or because they were lost on their way from another replica. */
  readonly dropped: number;
}

export type RequestWatchAnswer =
  | { readonly kind: 'watching'; readonly notices: AsyncIterable<RequestNotice> }
  | { readonly kind: 'tooManyWatchers'; readonly message: string };

export interface CancelWish {
  readonly id: RequestId;
  readonly caller: Caller;
  /** Aborted when whoever wants to stop it goes away. It is stopped all the same. */
  readonly signal: AbortSignal;
}

export interface TickWatch {
  readonly pace: Pace;
  readonly caller: Caller;
  readonly signal: AbortSignal;
}

/** A summary, with how the providers stand: looked up once for all who watch, and only if somebody asks. */
export interface LiveTick extends Tick {
  survey(): ReturnType<Gateway['surveyProviders']>;
}

export type TickWatchAnswer =
  | { readonly kind: 'watching'; readonly ticks: AsyncIterable<LiveTick> }
  | { readonly kind: 'tooManyWatchers'; readonly message: string };

export interface BudgetWatch {
  readonly caller: Caller;
  /** Null: everybody if the caller may see all, otherwise the caller's own. */
  readonly holder: Holder | null;
  readonly signal: AbortSignal;
}

/** What a watcher of budgets is told. */
export interface BudgetNotice {
  readonly kind: 'present' | BudgetNews | 'refused';
  /** As it was seen then. */
  readonly budget: Budget;
  /** When that was; of a new period, when it began. */
  readonly atMs: EpochMs;
}

export type BudgetWatchAnswer =
  | { readonly kind: 'watching'; readonly notices: AsyncIterable<BudgetNotice> }
  /** The caller may not see how that user's budget stands. */
  | { readonly kind: 'foreign'; readonly message: string }
  | { readonly kind: 'tooManyWatchers'; readonly message: string };

export interface Budget {
  readonly account: Account;
  readonly holder: Holder;
  readonly cap: PicoUsd;
}

export interface SetBudget {
  readonly holder: Holder;
  readonly limit: PicoUsd;
  readonly period: Period;
  readonly resetUsage: boolean;
}

export interface SimulateFailure {
  readonly provider: string;
  readonly mode: FailureMode;
  readonly rate: number;
  readonly durationMs: number;
  /** Null: only by time. */
  readonly failuresMax: number | null;
  /** Null: the mode's own default. */
  readonly latencyMs: number | null;
}

export type SimulateAnswer =
  | { readonly kind: 'simulating'; readonly provider: ProviderKey }
  | NotFound
  | InvalidInput
  | FeatureDisabled;
