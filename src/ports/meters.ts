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

/** What the service measures of itself, for those who watch over it. No meter has a label whose values callers choose. */
export interface Meters {
  /** Holds that nobody settled in time, ended by this replica. */
  readonly holdsExpired: Counter;
  /** Attempts that a provider billed above the limit it was sent. */
  readonly overruns: Counter;
  /** Accounts whose books did not balance when they were looked at last, by whichever replica. */
  readonly booksDifferences: Gauge;
  /** Replicas seen in the last minute, as this one sees it. */
  readonly replicas: Gauge;
  /** 1 while the store answers, 0 while it does not. */
  readonly storeUp: Gauge;
  /** Operations under way. */
  readonly operationsInFlight: Gauge;
  /** Operations that were sent away because too much was under way. */
  readonly operationsRefused: Counter;
  /** Callers who came without a credential, or with one that does not work. */
  readonly authenticationFailures: Counter;
  /** Candidates that a request passed over because their retry budget was used up. */
  readonly retriesRefused: Counter;
  /** Readings of the configuration since the start. */
  readonly configReloads: Tally<ReloadOutcome>;
  /** 1 while what the operator wrote last is not in force, 0 while it is. */
  readonly configStale: Gauge;
}

/** All meters as text, for whoever collects them. */
export interface Exposition {
  /** The media type of the text. */
  readonly contentType: string;
  read(): Promise<string>;
}
