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

/** The same, when it is certain that nothing of the act was done. */
export class NothingDone extends StoreUnavailable {}

/** This replica cannot write its journal, so it may not spend money: what it spent could be lost. Another replica may be able to. */
export class JournalUnavailable extends Error {
  /** For operators: it may name paths, so callers are not told. */
  readonly reason: string;

  constructor(reason: string) {
    super('This replica cannot keep its records safe right now, so it takes no new requests. Send it again shortly.');
    this.reason = reason;
  }
}

/** Whether something we depend on is missing right now. Nothing is wrong with the request: it may succeed later. */
export function isUnavailable(error: unknown): error is StoreUnavailable | JournalUnavailable {
  return error instanceof StoreUnavailable || error instanceof JournalUnavailable;
}
