/** The store does not answer this replica. */
export interface StoreAbsence {
  /** By the process's monotonic clock, in milliseconds. */
  readonly sinceMs: number;
  /** For operators: it may name hosts. */
  readonly why: string;
}

/** How a replica works, as far as it depends on its store. */
export type StoreMode =
  | { readonly kind: 'normal' }
  /** The store is away: what needs it is refused. */
  | ({ readonly kind: 'refusing' } & StoreAbsence)
  /** The store is away: so many accounts go on, from what was reserved for them, until an instant of the monotonic clock. */
  | ({ readonly kind: 'slices'; readonly accounts: number; readonly untilMs: number } & StoreAbsence);

/** The mode of a store beside which nothing is reserved. */
export function modeOf(absence: StoreAbsence | null): StoreMode {
  return absence === null ? { kind: 'normal' } : { kind: 'refusing', ...absence };
}
