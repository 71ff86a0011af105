import { type CallerWish, type Entered, hasPlace, type LimitsSeen, PLACE } from '../core/caller-limits.ts';
import { callerCrowded, callerLimited, tooManyTokens } from '../core/caller-refusal.ts';
import { estimateRequestTokens } from '../core/estimate.ts';
import type { NotRun, RateLimitState, TooLarge, Unanswered } from '../core/outcome.ts';
import { NothingDone } from '../core/unavailable.ts';
import type { CallerLimitsPort } from '../ports/caller-limits.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { type Caller, limitsOf, lineOf } from './caller.ts';
import type { ChatCall } from './gateway.ts';
import { makeLimitsMemory } from './limits-memory.ts';
import { makeLineTurns } from './line-turns.ts';

/** How many requests of one line wait to be looked at, and for how long; when the others may come again. */
const CROWD = { waitingMax: 500, waitMsMax: 1_000, retryAfterMs: 1_000 } as const;

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
  const memory = makeLimitsMemory(clock);
  const turns = makeLineTurns();
  const leave = (call: ChatCall, { line, limits }: CallerWish, tokens: number) => {
    if (!hasPlace(limits)) return;
    const { requestId } = call;
    const told = turns.take(line, () => store.leaveCaller({ line, requestId, tokens }));
    told.catch((error: unknown) => {
      const what =
        'the end of a request could not be told to the limits of its key: its place is free when its lease ends';
      log.warn(what, { requestId: `req_${requestId}`, error: String(error) });
    });
  };

  /** Asks the store when the line has its turn, unless it is known by then what it would say. Null: that takes too long. */
  const ask = async (call: ChatCall, wish: CallerWish): Promise<Entered | null> => {
    const { line } = wish;
    const cameAt = memory.step();
    const cameAtMs = clock.elapsedMs();
    const known = memory.refusalOf(wish, cameAt);
    if (known !== null) return known;
    if (turns.waitingOf(line) >= CROWD.waitingMax) return null;
    return turns.take(line, async () => {
      const refusal = memory.refusalOf(wish, cameAt);
      if (refusal !== null) return refusal;
      if (clock.elapsedMs() - cameAtMs > CROWD.waitMsMax) return null;
      const askedAt = memory.step();
      const leaseMs = call.request.timeoutMs + PLACE.leaseGraceMs;
      const answer = await store.enterCaller({ ...wish, requestId: call.requestId, leaseMs });
      memory.see(wish, answer, askedAt);
      return answer;
    });
  };

  return {
    async enter(call, attempts) {
      const wish = wishOf(call);
      if (wish === null) return LET_IN;
      const tooLarge = whyTooLarge(wish);
      if (tooLarge !== null) return keptOut(call, tooLarge);
      try {
        const answer = await ask(call, wish);
        if (answer === null) return keptOut(call, callerCrowded({ ...CROWD, limit: CROWD.waitingMax }, clock.now()));
        if (answer.kind === 'limited') return keptOut(call, callerLimited(answer));
      } catch (error) {
        // It may have been let in all the same, and the answer was lost.
        if (!(error instanceof NothingDone)) leave(call, wish, 0);
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
      return line === null ? null : memory.lastSeen(line);
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
