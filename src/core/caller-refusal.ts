import type { Entered, LimitedBy } from './caller-limits.ts';
import type { RateLimitState, TooLarge, Unanswered } from './outcome.ts';
import { later } from './time.ts';

type RateLimited = Extract<Unanswered, { readonly kind: 'rateLimited' }>;

/** The caller has used up what it may use. */
export function callerLimited(limited: Extract<Entered, { readonly kind: 'limited' }>): RateLimited {
  const { which, retryAfterMs } = limited;
  const rateLimit = stateOf(limited);
  return {
    kind: 'rateLimited',
    code: 'RATE_LIMITED',
    message: messageOf(which, rateLimit, retryAfterMs),
    isRetryable: true,
    retryAfterMs,
    rateLimit,
  };
}

/** No waiting makes room for it. */
export function tooManyTokens(of: { readonly tokens: number; readonly limit: number }): TooLarge {
  const issue =
    `this request may need ${of.tokens} tokens, its answer included, and this key may use ${of.limit} a minute: ` +
    'name a smaller maxOutputTokens, shorten the prompt, or ask for a key with a larger limit';
  return {
    kind: 'invalidInput',
    code: 'INVALID_INPUT',
    message: `The input is not acceptable. maxOutputTokens: ${issue}`,
    isRetryable: false,
    retryAfterMs: null,
    issues: [{ path: ['maxOutputTokens'], message: issue }],
  };
}

function stateOf({ which, standing, retryAfterMs }: Extract<Entered, { readonly kind: 'limited' }>): RateLimitState {
  const limit = standing[which];
  if (limit === null) throw new RangeError(`a limit of ${which} that is not there cannot be used up`);
  return { limit: limit.limit, used: limit.used, freeAtMs: later(standing.nowMs, retryAfterMs) };
}

function messageOf(which: LimitedBy, { limit, used }: RateLimitState, retryAfterMs: number): string {
  switch (which) {
    case 'requests':
      return `This key has used up its limit of ${limit} requests a minute. Try again in ${retryAfterMs} ms.`;
    case 'tokens':
      return `This key may use ${limit} tokens a minute, and has no room for this request: ${used} are used. Try again in ${retryAfterMs} ms.`;
    case 'concurrency':
      return `This key has ${used} requests under way, and may have ${limit} at once. Try again when one has ended.`;
    default:
      return which satisfies never;
  }
}
