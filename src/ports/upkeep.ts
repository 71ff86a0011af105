/** What one call did to keep the log within its bounds. `what` and `why` are for people. */
export type LogKeeping =
  | { readonly kind: 'worked'; readonly what: string }
  /** There is something to do, but not now: others were using the tables, and nobody is made to wait for this. */
  | { readonly kind: 'hindered'; readonly why: string }
  /** Nothing is left to do here: nothing is due, or another replica is at it. */
  | { readonly kind: 'rested' };

/** What a store does for itself, so that it does not grow for ever. */
export interface UpkeepPort {
  /**
   * Does the next small piece of work: makes room for the requests to come, or forgets requests that are older than
   * `retentionDays`, and holds that ended before that, at least 30 days ago. Call it again while it `worked`. Money,
   * audit lines and changes of breakers are never forgotten.
   */
  keepLog(bounds: { readonly retentionDays: number }): Promise<LogKeeping>;
}
