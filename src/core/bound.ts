import { minUsd, type PicoUsd, picoUsd } from './money.ts';
import type { PriceCard } from './usage.ts';

/** The fewest output tokens an attempt is worth making for, when money and not the caller sets the limit. */
export const OUTPUT_TOKENS_MIN = 16;

/** The dearest an attempt can be: proven, never estimated. */
export interface Bound {
  /** All input at its dearest rate. */
  readonly input: PicoUsd;
  /** One token of output at its dearest rate. */
  readonly perOutputToken: PicoUsd;
  readonly outputTokensMax: number;
  /** The fewest output tokens that will do: all of them when the caller named a limit, otherwise a useful minimum. */
  readonly outputTokensMin: number;
}

/** An amount to hold, and the output limit it covers. */
export interface HoldSize {
  readonly amount: PicoUsd;
  readonly outputTokens: number;
}

/** The dearest an attempt can be. `outputTokensAsked` is null when the caller named no limit: then less will do when money is short. */
export function makeBound(of: {
  readonly inputTokensMax: number;
  readonly outputTokensAsked: number | null;
  readonly modelOutputTokensMax: number;
  readonly price: PriceCard;
}): Bound {
  const { price } = of;
  const outputTokensMax = Math.min(of.outputTokensAsked ?? of.modelOutputTokensMax, of.modelOutputTokensMax);
  const dearestInput = Math.max(price.input, price.cachedInput ?? 0);
  return {
    input: picoUsd(BigInt(of.inputTokensMax) * BigInt(dearestInput)),
    perOutputToken: picoUsd(BigInt(Math.max(price.output, price.reasoning ?? 0))),
    outputTokensMax,
    outputTokensMin: of.outputTokensAsked === null ? Math.min(OUTPUT_TOKENS_MIN, outputTokensMax) : outputTokensMax,
  };
}

/** The most that may have to be held. */
export function largestHold(bound: Bound): PicoUsd {
  return picoUsd(bound.input + bound.perOutputToken * BigInt(bound.outputTokensMax));
}

/** The least that must be free for the attempt to be worth making. */
export function smallestHold(bound: Bound): PicoUsd {
  return picoUsd(bound.input + bound.perOutputToken * BigInt(bound.outputTokensMin));
}

/** What to hold under a ceiling: everything when it fits, fewer output tokens when that will do. Null when not even the least fits. */
export function holdUnder(bound: Bound, ceiling: PicoUsd): HoldSize | null {
  if (smallestHold(bound) > ceiling) return null;
  if (largestHold(bound) <= ceiling) return { amount: largestHold(bound), outputTokens: bound.outputTokensMax };
  const outputTokens = (minUsd(ceiling, largestHold(bound)) - bound.input) / bound.perOutputToken;
  return { amount: picoUsd(bound.input + bound.perOutputToken * outputTokens), outputTokens: Number(outputTokens) };
}
