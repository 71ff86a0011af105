/** Counts what happens; never goes back while the process lives. */
export interface Counter {
  add(count: number): void;
}

/** What the service measures of itself, for those who watch over it. No meter has a label whose values callers choose. */
export interface Meters {
  /** Holds that nobody settled in time, ended by this replica. */
  readonly holdsExpired: Counter;
  /** Attempts that a provider billed above the limit it was sent. */
  readonly overruns: Counter;
}

/** All meters as text, for whoever collects them. */
export interface Exposition {
  /** The media type of the text. */
  readonly contentType: string;
  read(): Promise<string>;
}
