import type { Window } from '../core/analytics.ts';
import { type EpochMs, later } from '../core/time.ts';
import { builder } from './builder.ts';
import { invalidInput } from './door-error.ts';
import { DAY_MS } from './duration.ts';

const WINDOW_LIMITS = { daysMax: 400 } as const;

const TimeRangeInput = builder.inputType('TimeRangeInput', {
  description: 'Two moments; the end is not included.',
  fields: (t) => ({
    from: t.field({ type: 'DateTime', description: 'Start.', required: true }),
    to: t.field({ type: 'DateTime', description: 'End.', required: true }),
  }),
});

export const TimeWindowInput = builder.inputType('TimeWindowInput', {
  description: 'A window of time.',
  isOneOf: true,
  fields: (t) => ({
    last: t.field({ type: 'Duration', description: 'Ending now.' }),
    between: t.field({ type: TimeRangeInput, description: 'Between two moments.' }),
  }),
});

interface RawWindow {
  readonly last?: number | null | undefined;
  readonly between?: { readonly from: EpochMs; readonly to: EpochMs } | null | undefined;
}

/** The moments a window covers; `last` ends at the clock's now. Throws what the caller did wrong. */
export function parseWindow(raw: RawWindow, clock: { now(): EpochMs }): Window {
  const window = momentsOf(raw, clock);
  if (window.toMs <= window.fromMs) throw invalidInput('`between.to` must be later than `between.from`.');
  if (window.toMs - window.fromMs > WINDOW_LIMITS.daysMax * DAY_MS) {
    throw invalidInput(`A window covers at most ${WINDOW_LIMITS.daysMax} days; ask for a shorter one.`);
  }
  return window;
}

function momentsOf(raw: RawWindow, clock: { now(): EpochMs }): Window {
  const { last, between } = raw;
  if (last !== null && last !== undefined) {
    const toMs = clock.now();
    return { fromMs: later(toMs, -last), toMs };
  }
  if (between !== null && between !== undefined) return { fromMs: between.from, toMs: between.to };
  throw invalidInput('A window needs `last` or `between`.');
}
