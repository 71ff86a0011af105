import type { Transition } from '../core/breaker.ts';
import type { AttemptReport } from '../core/decision.ts';
import type { ProviderKey } from '../core/ids.ts';
import type { RequestRecord } from '../core/request-record.ts';
import type { TokenUsage } from '../core/usage.ts';

/** Counts what happens; never goes back while the process lives. */
export interface Counter {
  add(count: number): void;
}

/** Tells how something stands now. */
export interface Gauge {
  set(value: number): void;
}

/** Counts what happens, by what came of it. */
export interface Tally<Outcome extends string> {
  count(outcome: Outcome): void;
}

/** What came of reading the configuration again. `deferred`: it is right, but could not be taken over yet. */
export type ReloadOutcome = 'applied' | 'unchanged' | 'refused' | 'deferred';

/** How a chat ended that an error broke off: something it needs was missing, or we have a bug. No record is made of one. */
export type BrokenOff = 'unavailable' | 'internal';

/** What the service measures of itself, for those who watch over it. No meter has a label whose values callers choose. */
export interface Meters extends PlainMeters {
  /** One call to a provider has ended. */
  attemptEnded(attempt: AttemptMeasure): void;
  /** A request has ended, in whichever way, and this is its record. */
  requestEnded(record: RequestRecord): void;
  /** A request was broken off by an error, and there is no record of it. */
  requestBroke(door: RequestRecord['door'], why: BrokenOff): void;
  /** How every provider stands that may be asked now. Of one that is not among them nothing is shown any more. */
  providersSeen(standings: readonly ProviderStanding[]): void;
  /** A breaker changed by what this replica reported. */
  breakerChanged(provider: ProviderKey, transition: Pick<Transition, 'from' | 'to' | 'cause'>): void;
  /** A client sent again by itself what it had sent before. `language` is its own word, and believed only if it is a known one. */
  clientRetried(language: string): void;
  /** An HTTP request was answered, or its connection closed. Method and route are the caller's words, and bounded here. */
  httpEnded(answered: HttpMeasure): void;
  /** Readings of the configuration since the start. */
  readonly configReloads: Tally<ReloadOutcome>;
}

/** Meters that stand for one figure each. */
export interface PlainMeters {
  /** Holds that nobody settled in time, ended by this replica. */
  readonly holdsExpired: Counter;
  /** Attempts that a provider billed above the limit it was sent. */
  readonly overruns: Counter;
  /** Accounts whose books did not balance when they were looked at last, by whichever replica. */
  readonly booksDifferences: Gauge;
  /** Replicas seen in the last minute, as this one sees it. */
  readonly replicas: Gauge;
  /** Those of them that have another configuration than this one. */
  readonly replicasDiffering: Gauge;
  /** 1 while the store answers, 0 while it does not. */
  readonly storeUp: Gauge;
  /** Operations under way. */
  readonly operationsInFlight: Gauge;
  /** Operations that were sent away because too much was under way. */
  readonly operationsRefused: Counter;
  /** Callers who came without a credential, or with one that does not work. */
  readonly authenticationFailures: Counter;
  /** Chats that were refused because their caller had used up its own limits. */
  readonly callersLimited: Counter;
  /** Candidates that a request passed over because their retry budget was used up. */
  readonly retriesRefused: Counter;
  /** Dollars held for attempts that this replica has under way. */
  readonly budgetReserved: Gauge;
  /** Subscriptions that are being told, streamed chats included. */
  readonly streamSubscribers: Gauge;
  /** Events that slow subscribers were not told. */
  readonly eventsDropped: Counter;
  /** What waits in the journal to be carried out in the store. */
  readonly logQueue: Gauge;
  /** Requests that could not be written to the log. */
  readonly logRowsDropped: Counter;
  /** Spans that never reached the collector of traces. */
  readonly spansDropped: Counter;
  /** 1 while what the operator wrote last is not in force, 0 while it is. */
  readonly configStale: Gauge;
}

/** What is measured of one attempt. */
export interface AttemptMeasure {
  readonly report: AttemptReport;
  /** Milliseconds that the provider took, exactly: the report has them rounded. */
  readonly upstreamMs: number;
  /** Null: nobody knows, or nothing was received. */
  readonly usage: TokenUsage | null;
  /** Milliseconds to the first piece of the answer. Null when none came, or it was not asked for in pieces. */
  readonly firstChunkMs: number | null;
  /** Milliseconds between two pieces, on average. Null with fewer than two. */
  readonly perChunkMs: number | null;
}

export interface ProviderStanding {
  readonly provider: ProviderKey;
  readonly breaker: Transition['to'];
  /** Requests that its rolling limit has room for. */
  readonly slotsLeft: number;
}

export interface HttpMeasure {
  readonly method: string;
  readonly route: string;
  /** Zero when it was left without an answer. */
  readonly status: number;
  readonly durationMs: number;
}

/** All meters as text, for whoever collects them. */
export interface Exposition {
  /** The media type of the text. */
  readonly contentType: string;
  read(): Promise<string>;
}
