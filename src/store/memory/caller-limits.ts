import { answerTo, isForgotten, type LineUse, UNUSED, withEntry, withLeave } from '../../core/caller-limits.ts';
import type { ApiKeyId } from '../../core/ids.ts';
import type { EpochMs } from '../../core/time.ts';
import type { CallerLimitsPort } from '../../ports/caller-limits.ts';

/** Lines are looked through for those that are forgotten when there are this many more of them than after the last time. */
const SWEEP_EVERY_LINES = 1_000;

/** The limits of callers, on memory. No act waits for anything, so each is one by itself. */
export function makeMemoryCallerLimits({ now }: { readonly now: () => EpochMs }): CallerLimitsPort {
  const lines = new Map<ApiKeyId, LineUse>();
  let sweepAt = SWEEP_EVERY_LINES;
  const useOf = (line: ApiKeyId) => lines.get(line) ?? UNUSED;
  const sweep = () => {
    for (const [line, use] of lines) if (isForgotten(use, now())) lines.delete(line);
    sweepAt = lines.size + SWEEP_EVERY_LINES;
  };
  return {
    async enterCaller(entry) {
      const nowMs = now();
      const answer = answerTo(useOf(entry.line), entry, nowMs);
      if (answer.kind === 'limited') return answer;
      const use = withEntry(useOf(entry.line), entry, nowMs);
      lines.set(entry.line, use);
      if (lines.size > sweepAt) sweep();
      return { kind: 'entered', standing: answerTo(use, { ...entry, tokens: 0 }, nowMs).standing };
    },
    async leaveCaller(leave) {
      const use = lines.get(leave.line);
      if (use !== undefined) lines.set(leave.line, withLeave(use, leave, now()));
    },
    askCaller: async (wish) => answerTo(useOf(wish.line), wish, now()),
  };
}
