import {
  type CallerStanding,
  type CallerWish,
  type Entered,
  hasPlace,
  type LimitsSeen,
  PLACE,
  seenAt,
} from '../core/caller-limits.ts';
import { callerLimited, tooManyTokens } from '../core/caller-refusal.ts';
import { estimateRequestTokens } from '../core/estimate.ts';
import type { ApiKeyId } from '../core/ids.ts';
import type { NotRun, RateLimitState, TooLarge, Unanswered } from '../core/outcome.ts';
import type { CallerLimitsPort } from '../ports/caller-limits.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { type Caller, limitsOf, lineOf } from './caller.ts';
import type { ChatCall } from './gateway.ts';

/** How many lines of keys a replica remembers the standing of. Of others its next request tells. */
const LINES_SEEN_MAX = 10_000;

/** Keeps callers within their limits. Those without limits cost nothing here. */
export interface LimitDesk {
  /**
   * Lets a request in, or says why not. Disposing of it ends the request, whatever became of it: its place is free, and what its
   * attempts used is counted. Nobody waits for that. Throws when the store is away: nobody could keep to the limits.
   */
  enter(call: ChatCall, attempts: () => readonly Used[]): Promise<Entry>;
  /** Why it would not be let in now. Null: it would. A question: it takes nothing. */
  whyKeptOut(call: ChatCall): Promise<Unanswered | TooLarge | null>;
  /** The caller's own limit of requests. Null: it has none. */
  rateLimitOf(caller: Caller): Promise<RateLimitState | null>;
  /** The caller's limits as they stood when this replica last let a request of its line in, or did not. Null: no limits, or not seen. */
  lastSeen(caller: Caller): LimitsSeen | null;
}

/** What one attempt used. Null: nobody knows. */
interface Used {
  readonly tokens: number | null;
}

export interface Entry extends Disposable {
  /** Null: it was let in. */
  readonly refused: NotRun | null;
}

export function makeLimitDesk({
  store,
  clock,
  log,
}: {
  readonly store: CallerLimitsPort;
  readonly clock: Clock;
  readonly log: Log;
}): LimitDesk {
  const seen = new Map<ApiKeyId, { readonly standing: CallerStanding; readonly atMs: number }>();
  const see = (line: ApiKeyId, { standing }: Entered) => {
    // The newest stands last, so that the oldest is forgotten first.
    seen.delete(line);
    seen.set(line, { standing, atMs: clock.elapsedMs() });
    for (const oldest of seen.keys()) {
      if (seen.size <= LINES_SEEN_MAX) break;
      seen.delete(oldest);
    }
  };
  const leave = (call: ChatCall, { line, limits }: CallerWish, tokens: number) => {
    if (!hasPlace(limits)) return;
    const { requestId } = call;
    store.leaveCaller({ line, requestId, tokens }).catch((error: unknown) => {
      const what =
        'the end of a request could not be told to the limits of its key: its place is free when its lease ends';
      log.warn(what, { requestId: `req_${requestId}`, error: String(error) });
    });
  };

  return {
    async enter(call, attempts) {
      const wish = wishOf(call);
      if (wish === null) return LET_IN;
      const tooLarge = whyTooLarge(wish);
      if (tooLarge !== null) return keptOut(call, tooLarge);
      const leaseMs = call.request.timeoutMs + PLACE.leaseGraceMs;
      try {
        const answer = await store.enterCaller({ ...wish, requestId: call.requestId, leaseMs });
        see(wish.line, answer);
        if (answer.kind === 'limited') return keptOut(call, callerLimited(answer));
      } catch (error) {
        // It may have been let in all the same, and the answer was lost.
        leave(call, wish, 0);
        throw error;
      }
      return { refused: null, [Symbol.dispose]: () => leave(call, wish, tokensOf(attempts(), wish)) };
    },
    async whyKeptOut(call) {
      const wish = wishOf(call);
      if (wish === null) return null;
      const tooLarge = whyTooLarge(wish);
      if (tooLarge !== null) return tooLarge;
      const answer = await store.askCaller(wish);
      return answer.kind === 'limited' ? callerLimited(answer) : null;
    },
    async rateLimitOf(caller) {
      const line = lineOf(caller);
      const limits = limitsOf(caller);
      if (line === null || limits.requestsPerMinute === null) return null;
      return (await store.askCaller({ line, limits, tokens: 0 })).standing.requests;
    },
    lastSeen(caller) {
      const line = lineOf(caller);
      const last = line === null ? undefined : seen.get(line);
      return last === undefined ? null : seenAt(last.standing, clock.elapsedMs() - last.atMs);
    },
  };
}

const LET_IN: Entry = { refused: null, [Symbol.dispose]: () => undefined };

function keptOut({ requestId }: ChatCall, why: NotRun['why']): Entry {
  return { refused: { kind: 'notRun', requestId, why }, [Symbol.dispose]: () => undefined };
}

/** Null: the caller has no limits. */
function wishOf({ caller, request }: ChatCall): CallerWish | null {
  const line = lineOf(caller);
  const limits = limitsOf(caller);
  if (line === null || Object.values(limits).every((limit) => limit === null)) return null;
  return { line, limits, tokens: limits.tokensPerMinute === null ? 0 : estimateRequestTokens(request) };
}

/** What no waiting makes room for is told at once, and to whoever would wait for it that this is in vain. */
function whyTooLarge({ limits, tokens }: CallerWish): TooLarge | null {
  const limit = limits.tokensPerMinute;
  return limit !== null && tokens > limit ? tooManyTokens({ tokens, limit }) : null;
}

/** What a request used: of an attempt that says nothing of it, what was estimated for the whole. */
function tokensOf(attempts: readonly Used[], wish: CallerWish): number {
  return attempts.reduce((sum, { tokens }) => sum + (tokens ?? wish.tokens), 0);
}
