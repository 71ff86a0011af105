import { KEY_LIMITS, type KeyEnd, type KeyHolder } from '../core/idempotency.ts';
import type { RequestId } from '../core/ids.ts';
import type { ChatOutcome } from '../core/outcome.ts';
import { formatOutcome } from '../core/outcome-text.ts';
import type { Log } from '../ports/log.ts';
import type { Seal } from '../ports/seal.ts';
import type { GatewayDeps } from './deps.ts';

/** A claim, and what hides its end from whoever does not have the key. */
export interface SealedClaim {
  readonly holder: KeyHolder;
  readonly seal: Seal;
}

/**
 * Ends the claim of an idempotency key with how its request ended. Null: it did not. What cannot be kept never costs the caller an
 * answer that was paid for; its claim ends with its lease.
 */
export async function keepOutcome(
  deps: GatewayDeps,
  { holder, seal }: SealedClaim,
  outcome: ChatOutcome | null,
): Promise<void> {
  const log = deps.log.with({ requestId: `req_${holder.requestId}` });
  const { account, key, requestId } = holder;
  try {
    const isEnded = await deps.store.endClaim(
      { account, key, requestId },
      sealed(seal, requestId, endOf(outcome, log)),
    );
    if (!isEnded && outcome !== null)
      log.warn('another request had taken over an idempotency key before this one ended');
  } catch (error) {
    log.error('the end of a request could not be kept under its idempotency key', { error: String(error) });
  }
}

/**
 * An answer is kept, and so is that somebody stopped it: what was stopped is not begun again by whoever waits, or asks once more.
 * Any other ending cost nothing that is worth keeping it for: the key is free for another try.
 */
function endOf(outcome: ChatOutcome | null, log: Log): KeyEnd {
  if (outcome === null) return NOTHING;
  const text = formatOutcome(outcome);
  if (text.length > KEY_LIMITS.outcomeCharsMax) {
    log.warn('an answer is too long to be kept under its idempotency key', { chars: text.length });
    return NOTHING;
  }
  const isKept = outcome.kind === 'answered' || outcome.why.kind === 'cancelled';
  return { kind: isKept ? 'kept' : 'freed', outcome: text };
}

/** Nobody who reads the store or the journal shall read an answer in it. */
function sealed(seal: Seal, request: RequestId, end: KeyEnd): KeyEnd {
  return end.outcome === null ? end : { ...end, outcome: seal.close(request, end.outcome) };
}

const NOTHING: KeyEnd = { kind: 'freed', outcome: null };
