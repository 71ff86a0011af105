import type { Failure } from '../core/failure.ts';
import type { ProviderKey } from '../core/ids.ts';
import type { Answer, Prompt } from '../core/prompt.ts';
import type { ModelSpec } from '../core/registry.ts';

export interface ProviderCall {
  readonly model: ModelSpec;
  readonly prompt: Prompt;
  /** Most tokens to generate; the money held covers exactly this many. Always sent to the provider. */
  readonly maxOutputTokens: number;
}

export type ProviderResult =
  | { readonly kind: 'answered'; readonly answer: Answer }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** One provider. It makes exactly one upstream call per `call`: no retry, no breaker, no budget of its own. */
export interface ProviderPort {
  readonly key: ProviderKey;
  /** The most input tokens this prompt can be billed for: a proven upper bound, never an estimate. */
  inputTokensMax(prompt: Prompt, model: ModelSpec): number;
  /**
   * Asks once. Never throws: every fault is a `Failure`. When `signal` aborts (its reason is an `AttemptAborted`),
   * the connection is closed and the failure is `timedOut` or `cancelled` accordingly.
   */
  call(call: ProviderCall, signal: AbortSignal): Promise<ProviderResult>;
}
