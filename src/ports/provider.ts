import type { Delta } from '../core/delta.ts';
import type { Failure } from '../core/failure.ts';
import type { ProviderKey } from '../core/ids.ts';
import type { Answer, Prompt } from '../core/prompt.ts';
import type { ModelSpec } from '../core/registry.ts';
import type { TokenUsage } from '../core/usage.ts';

export interface ProviderCall {
  readonly model: ModelSpec;
  readonly prompt: Prompt;
  /** Most tokens to generate; the money held covers exactly this many. Always sent to the provider. */
  readonly maxOutputTokens: number;
}

export type ProviderResult =
  | { readonly kind: 'answered'; readonly answer: Answer }
  | { readonly kind: 'failed'; readonly failure: Failure }
  /** It broke off in the middle of an answer. `usage` is what was really received, never less than its tokens. */
  | { readonly kind: 'cut'; readonly failure: Failure; readonly usage: TokenUsage };

/** Told each piece of an answer at once. It never throws, and nobody waits for it. */
export type OnDelta = (delta: Delta) => void;

/** One provider. It makes exactly one upstream call per `call`: no retry, no breaker, no budget of its own. */
export interface ProviderPort {
  readonly key: ProviderKey;
  /** The most input tokens this prompt can be billed for: a proven upper bound, never an estimate. */
  inputTokensMax(prompt: Prompt, model: ModelSpec): number;
  /**
   * Asks once. Never throws: every fault is a `Failure`. When `signal` aborts (its reason is an `AttemptAborted`),
   * the connection is closed and the failure is `timedOut` or `cancelled` accordingly. With `onDelta` the answer is asked for
   * as a stream and told piece by piece; the result is the same as without.
   */
  call(call: ProviderCall, signal: AbortSignal, onDelta?: OnDelta): Promise<ProviderResult>;
}
