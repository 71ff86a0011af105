import type { Limited, LimitedBy } from './caller-limits.ts';
import type { RateLimitState, TooLarge, Unanswered } from './outcome.ts';
import { type EpochMs, later } from './time.ts';

type RateLimited = Extract<Unanswered, { readonly kind: 'rateLimited' }>;

/** The caller has used up what it may use. */
export function callerLimited(limited: Limited): RateLimited {
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

/** So many requests of its line wait to be looked at that this one may not wait as well. */
export function callerCrowded(
  of: { readonly limit: number; readonly retryAfterMs: number },
  nowMs: EpochMs,
): RateLimited {
  const { limit, retryAfterMs } = of;
  return {
    kind: 'rateLimited',
    code: 'RATE_LIMITED',
    message: `This key sends more requests at once than can be looked at. Try again in ${retryAfterMs} ms.`,
    isRetryable: true,
    retryAfterMs,
    rateLimit: { limit, used: limit, freeAtMs: later(nowMs, retryAfterMs) },
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

function stateOf({ which, standing, retryAfterMs }: Limited): RateLimitState {
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
