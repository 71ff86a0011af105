import { answerOf, entryOf, type KeyEntry, type KeyHolder, withEnd } from '../../core/idempotency.ts';
import type { EpochMs } from '../../core/time.ts';
import type { IdempotencyPort } from '../../ports/idempotency.ts';

/** Past either limit the oldest keys are forgotten early, except those whose request runs: there are only as many as requests under way. */
export const MEMORY_KEY_LIMITS = { keysMax: 100_000, outcomeCharsMax: 100_000_000 } as const;

/** The keys of one process. No act waits for anything, so each is one by itself. */
export function makeMemoryKeys({
  now,
  limits = MEMORY_KEY_LIMITS,
}: {
  readonly now: () => EpochMs;
  readonly limits?: { readonly keysMax: number; readonly outcomeCharsMax: number };
}): IdempotencyPort {
  // A Map walks in the order in which entries came: an entry that changes is put at the end.
  const entries = new Map<string, KeyEntry>();
  let chars = 0;

  const remove = (place: string) => {
    chars -= charsOf(entries.get(place));
    entries.delete(place);
  };
  const put = (entry: KeyEntry) => {
    const place = placeOf(entry);
    remove(place);
    entries.set(place, entry);
    chars += charsOf(entry);
    const isOver = () => entries.size > limits.keysMax || chars > limits.outcomeCharsMax;
    for (const [old, { state }] of entries) {
      if (!isOver()) return;
      if (state.kind !== 'running' || state.leaseEndsAtMs <= now()) remove(old);
    }
  };

  return {
    async claimKey(claim) {
      const answer = answerOf(entries.get(placeOf(claim)) ?? null, claim, now());
      if (answer.kind === 'claimed') put(entryOf(claim, now()));
      return answer;
    },
    async endClaim(holder, end) {
      const entry = entries.get(placeOf(holder));
      const ended = entry === undefined ? null : withEnd(entry, holder.requestId, end, now());
      if (ended !== null) put(ended);
      return ended !== null;
    },
    async forgetKeys(countMax) {
      const due = Array.from(entries.values()).filter((entry) => entry.expiresAtMs <= now());
      const forgotten = due.toSorted((one, other) => one.expiresAtMs - other.expiresAtMs).slice(0, countMax);
      for (const entry of forgotten) remove(placeOf(entry));
      return forgotten.length;
    },
  };
}

/** Keys are printable, so that nothing else can look like this. */
function placeOf({ account, key }: Pick<KeyHolder, 'account' | 'key'>): string {
  return `${key}\n${account}`;
}

function charsOf(entry: KeyEntry | undefined): number {
  return entry === undefined || entry.state.kind === 'running' ? 0 : (entry.state.outcome?.length ?? 0);
}
