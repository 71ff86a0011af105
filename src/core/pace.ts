/** How many answers are remembered, and how many it takes before they count for more than the registry's figures. */
export const PACE = { samplesMax: 100, samplesMin: 20 } as const;

/** One complete answer. */
export interface PaceSample {
  readonly durationMs: number;
  readonly outputTokens: number;
}

/** How fast one model has answered lately, as this replica saw it. */
export interface Pace {
  /** Newest last. */
  readonly samples: readonly PaceSample[];
  /** Their durations, shortest first: sorted once an answer, read by every plan. */
  readonly durationsMs: readonly number[];
}

export const NO_PACE: Pace = { samples: [], durationsMs: [] };

export function withSample(pace: Pace, sample: PaceSample): Pace {
  const samples = [...pace.samples, sample].slice(-PACE.samplesMax);
  const durationsMs = samples.map((one) => one.durationMs).toSorted((first, second) => first - second);
  return { samples, durationsMs };
}

/** Half of the recent answers were faster. Null while there are too few. */
export function medianMsOf(pace: Pace): number | null {
  return quantileMs(pace, 0.5);
}

/** 95 in 100 of the recent answers were faster. Null while there are too few. */
export function p95MsOf(pace: Pace): number | null {
  return quantileMs(pace, 0.95);
}

/** Null while there are too few answers. */
export function tokensPerSecondOf(pace: Pace): number | null {
  if (pace.samples.length < PACE.samplesMin) return null;
  const durationMs = pace.durationsMs.reduce((sum, ms) => sum + ms, 0);
  const tokens = pace.samples.reduce((sum, sample) => sum + sample.outputTokens, 0);
  return durationMs === 0 ? null : (tokens * 1000) / durationMs;
}

function quantileMs(pace: Pace, share: number): number | null {
  if (pace.durationsMs.length < PACE.samplesMin) return null;
  return pace.durationsMs[Math.floor((pace.durationsMs.length - 1) * share)] ?? null;
}
