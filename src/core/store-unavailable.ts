/** The store did not answer in time, or not at all. Nothing that depends on it may go on; the same request may succeed later. */
export class StoreUnavailable extends Error {
  readonly code = 'STORE_UNAVAILABLE';

  constructor(reason: string) {
    super(`The store does not answer (${reason}). Try again shortly; nothing was spent that is not on record.`);
  }
}
