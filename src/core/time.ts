/** Milliseconds since 1970 in UTC. Whole numbers. */
export type EpochMs = number & { readonly __unit: 'epochMs' };

export function epochMs(value: number): EpochMs {
  return value as EpochMs;
}

export function later(instant: EpochMs, ms: number): EpochMs {
  return (instant + ms) as EpochMs;
}
