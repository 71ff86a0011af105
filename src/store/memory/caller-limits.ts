import { answerTo, isForgotten, type LineUse, UNUSED, withEntry, withLeave } from '../../core/caller-limits.ts';
import type { ApiKeyId } from '../../core/ids.ts';
import type { EpochMs } from '../../core/time.ts';
import type { CallerLimitsPort } from '../../ports/caller-limits.ts';

/** The limits of callers, on memory. No act waits for anything, so each is one by itself. */
export function makeMemoryCallerLimits({ now }: { readonly now: () => EpochMs }): CallerLimitsPort {
  const lines = new Map<ApiKeyId, LineUse>();
  const useOf = (line: ApiKeyId) => lines.get(line) ?? UNUSED;
  return {
    async enterCaller(entry) {
      const nowMs = now();
      const answer = answerTo(useOf(entry.line), entry, nowMs);
      if (answer.kind === 'limited') return answer;
      const use = withEntry(useOf(entry.line), entry, nowMs);
      lines.set(entry.line, use);
      return { kind: 'entered', standing: answerTo(use, { ...entry, tokens: 0 }, nowMs).standing };
    },
    async leaveCaller(leave) {
      const use = lines.get(leave.line);
      if (use !== undefined) lines.set(leave.line, withLeave(use, leave, now()));
    },
    async forgetCallers(countMax) {
      const nowMs = now();
      const due = Array.from(lines).filter(([, use]) => isForgotten(use, nowMs));
      const forgotten = due.slice(0, countMax);
      for (const [line] of forgotten) lines.delete(line);
      return forgotten.length;
    },
    askCaller: async (wish) => answerTo(useOf(wish.line), wish, now()),
  };
}
