import type { RequestContent } from '../../core/content.ts';
import type { RequestId } from '../../core/ids.ts';
import { type EpochMs, later } from '../../core/time.ts';
import type { ContentPort } from '../../ports/content.ts';

/** Past this the oldest is forgotten early. */
export const MEMORY_CONTENT_LIMITS = { charsMax: 100_000_000 } as const;

interface Entry {
  readonly content: RequestContent;
  readonly expiresAtMs: EpochMs;
}

/** What one process keeps of prompts and answers. */
export function makeMemoryContent({
  now,
  charsMax = MEMORY_CONTENT_LIMITS.charsMax,
}: {
  readonly now: () => EpochMs;
  readonly charsMax?: number;
}): ContentPort {
  // A Map walks in the order in which entries came.
  const entries = new Map<RequestId, Entry>();
  let chars = 0;
  const remove = (id: RequestId, { content }: Entry) => {
    entries.delete(id);
    chars -= charsOf(content);
  };
  return {
    async keepContent(content, keptMs) {
      if (entries.has(content.id)) return;
      entries.set(content.id, { content, expiresAtMs: later(now(), keptMs) });
      chars += charsOf(content);
      for (const [id, entry] of entries) {
        if (chars <= charsMax) return;
        remove(id, entry);
      }
    },
    async findContent(id) {
      const entry = entries.get(id);
      return entry === undefined || entry.expiresAtMs <= now() ? null : entry.content;
    },
    async forgetContent(countMax) {
      const due = Array.from(entries).filter(([, { expiresAtMs }]) => expiresAtMs <= now());
      const forgotten = due.slice(0, countMax);
      for (const [id, entry] of forgotten) remove(id, entry);
      return forgotten.length;
    },
  };
}

function charsOf({ prompt, answer }: RequestContent): number {
  return prompt.length + (answer?.length ?? 0);
}
