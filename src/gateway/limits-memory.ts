import type { CallerWish, Entered, Limited, LimitsSeen } from '../core/caller-limits.ts';
import { seenAt } from '../core/caller-limits.ts';
import type { ApiKeyId } from '../core/ids.ts';
import { later } from '../core/time.ts';
import type { Clock } from '../ports/clock.ts';

/** How many lines of keys a replica remembers the last answer of. Of others its next request tells. */
const LINES_MAX = 10_000;

/** A moment in the order of what happens here. */
type Step = number;

interface Seen {
  readonly answer: Entered;
  readonly tokens: number;
  readonly askedAt: Step;
  readonly atMs: number;
}

/** What the store last said of each line's limits. A key that does not stop at its limit is told so from here. */
export interface LimitsMemory {
  /** Now. */
  step(): Step;
  see(wish: CallerWish, answer: Entered, askedAt: Step): void;
  /**
   * What the store would say to a wish that came then, if that is known to be a refusal. Requests are never given back: that limit stands in the
   * way until its time. Places and tokens may be, so such a refusal is for those who came before it was asked for. Null: ask.
   */
  refusalOf(wish: CallerWish, cameAt: Step): Limited | null;
  /** Null: it was not seen. */
  lastSeen(line: ApiKeyId): LimitsSeen | null;
}

export function makeLimitsMemory(clock: Pick<Clock, 'elapsedMs'>): LimitsMemory {
  const lines = new Map<ApiKeyId, Seen>();
  let steps = 0;
  const sinceMs = ({ atMs }: Seen) => Math.floor(clock.elapsedMs() - atMs);
  return {
    step() {
      steps += 1;
      return steps;
    },
    see({ line, tokens }, answer, askedAt) {
      // The newest stands last, so that the oldest is forgotten first.
      lines.delete(line);
      lines.set(line, { answer, tokens, askedAt, atMs: clock.elapsedMs() });
      for (const oldest of lines.keys()) {
        if (lines.size <= LINES_MAX) break;
        lines.delete(oldest);
      }
    },
    refusalOf(wish, cameAt) {
      const seen = lines.get(wish.line);
      if (seen === undefined || seen.answer.kind === 'entered') return null;
      const { answer } = seen;
      const isSo = answer.which === 'requests' || (cameAt < seen.askedAt && wish.tokens >= seen.tokens);
      const passedMs = sinceMs(seen);
      if (!isSo || passedMs >= answer.retryAfterMs) return null;
      const standing = { ...answer.standing, nowMs: later(answer.standing.nowMs, passedMs) };
      return { ...answer, standing, retryAfterMs: answer.retryAfterMs - passedMs };
    },
    lastSeen(line) {
      const seen = lines.get(line);
      return seen === undefined ? null : seenAt(seen.answer.standing, sinceMs(seen));
    },
  };
}
