/** The store did not answer in time, or not at all. Nothing that depends on it may go on; the same request may succeed later. */
export class StoreUnavailable extends Error {
  /** For operators: it may name hosts, so callers are not told. */
  readonly reason: string;

  constructor(reason: string) {
    super(
      'The gateway cannot reach its database right now. Nothing was spent that is not on record. Try again shortly.',
    );
    this.reason = reason;
  }
}
