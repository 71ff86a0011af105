/** What somebody wants who comes in: to read something, or to have something done, a chat above all. Readers are sent away first. */
export type Wish = 'read' | 'act';

/** How late the event loop is with what is due. */
export const STRAINS = ['calm', 'strained', 'overwhelmed'] as const;

export type Strain = (typeof STRAINS)[number];

/**
 * The event loop is looked at every `beatMs`, and judged by the median of the last `beats`, so that one long pause alone sends
 * nobody away. A strain begins when that median reaches its limit, and ends below `calmShare` of it, so that it does not flap.
 */
export const LOAD = { beatMs: 100, beats: 5, strainedMs: 250, overwhelmedMs: 1_000, calmShare: 0.5 } as const;

/** When somebody who was sent away may try again: load passes quickly or not at all, so this is a polite guess. */
export const OVERLOAD_RETRY_MS = 1_000;

/** The strain after the last beats; `latenessMs` of the newest `LOAD.beats` of them, in any order. Calm while there are fewer. */
export function strainOf(before: Strain, latenessMs: readonly number[]): Strain {
  const medianMs = latenessMs.toSorted((one, other) => one - other)[Math.floor(LOAD.beats / 2)] ?? 0;
  if (latenessMs.length < LOAD.beats) return 'calm';
  if (medianMs >= limitOf('overwhelmed', before)) return 'overwhelmed';
  return medianMs >= limitOf('strained', before) ? 'strained' : 'calm';
}

function limitOf(strain: Exclude<Strain, 'calm'>, before: Strain): number {
  const limitMs = strain === 'strained' ? LOAD.strainedMs : LOAD.overwhelmedMs;
  return STRAINS.indexOf(before) >= STRAINS.indexOf(strain) ? limitMs * LOAD.calmShare : limitMs;
}

/** One line of keys fills at most this part of the places: less than half, so that queries of others go on beside it. */
const LINE_SHARE = 0.4;

/** How many operations may be under way that came with one line of keys. */
export function lineMaxOf(countMax: number): number {
  return Math.max(1, Math.floor(countMax * LINE_SHARE));
}

/** How much a replica has to do. */
export interface Load {
  /** Operations under way. */
  readonly count: number;
  readonly countMax: number;
  readonly strain: Strain;
}

/** Whether there is no room for this any more. Reading ends at half of what acting may fill. */
export function isRefused(wish: Wish, { count, countMax, strain }: Load): boolean {
  switch (wish) {
    case 'read':
      return strain !== 'calm' || count >= Math.max(1, Math.floor(countMax / 2));
    case 'act':
      return strain === 'overwhelmed' || count >= countMax;
    default:
      return wish satisfies never;
  }
}
