import { type Deadline, remainingMs } from '../core/deadline.ts';
import { cancelled, idempotencyConflict, timedOut } from '../core/ended.ts';
import { fingerprintOf } from '../core/fingerprint.ts';
import { KEY_LIMITS, type KeyAnswer, type KeyClaim } from '../core/idempotency.ts';
import type { RequestId } from '../core/ids.ts';
import type { ChatOutcome, NotRun } from '../core/outcome.ts';
import { parseOutcome } from '../core/outcome-text.ts';
import { StoreUnavailable } from '../core/unavailable.ts';
import { payerOf } from './caller.ts';
import type { GatewayDeps } from './deps.ts';
import type { ChatCall } from './gateway.ts';
import { keepOutcome, type SealedClaim } from './keep-outcome.ts';
import { pause } from './pause.ts';

/** How long to pause before looking again whether another sending has ended: soon at first, then less and less often. */
const PAUSE = { firstMs: 20, growth: 1.5, mostMs: 500 } as const;

/** The chat is the caller's to run, or this is what it is told instead. */
export type Found =
  | { readonly kind: 'claimed'; readonly claim: SealedClaim }
  | { readonly kind: 'told'; readonly outcome: ChatOutcome | NotRun };

/**
 * Takes the key of a chat; while another sending has it, waits for that one's end, at most until the deadline or until the caller
 * leaves. Who waits already also outlasts a store that is away for a while.
 */
export async function claimOrWait(
  deps: GatewayDeps,
  call: ChatCall,
  of: { readonly key: string; readonly deadline: Deadline },
): Promise<Found> {
  const { key, deadline } = of;
  const { account } = payerOf(call.caller, call.request.userId, deps.budgetDefault);
  const seal = deps.makeSeal({ account, key });
  const bodyHash = seal.digest(fingerprintOf(call.request));
  const leftMs = () => Math.max(0, remainingMs(deadline, deps.clock.elapsedMs()));
  let awaited: RequestId | null = null;
  for (let pauseMs: number = PAUSE.firstMs; ; pauseMs = Math.min(pauseMs * PAUSE.growth, PAUSE.mostMs)) {
    const leaseMs = Math.ceil(leftMs()) + KEY_LIMITS.leaseGraceMs;
    const claim: KeyClaim = { account, key: seal.name, requestId: call.requestId, bodyHash, leaseMs, awaited };
    const answer = await askFor(deps, claim);
    switch (answer.kind) {
      case 'claimed':
        return { kind: 'claimed', claim: { holder: claim, seal } };
      case 'ended':
        return { kind: 'told', outcome: toldAgain(seal.open(answer.requestId, answer.outcome)) };
      case 'conflict':
        return notRun(answer.requestId, idempotencyConflict());
      case 'running':
        if (call.signal.aborted) return notRun(answer.requestId, cancelled());
        if (leftMs() === 0) return notRun(answer.requestId, timedOut(deadline));
        awaited = answer.requestId;
        break;
      case 'away':
        if (awaited === null || call.signal.aborted || leftMs() === 0) {
          // The key may have been taken all the same: then it is freed again.
          void keepOutcome(deps, { holder: claim, seal }, null);
          throw answer.error;
        }
        break;
      default:
        return answer satisfies never;
    }
    await pause(deps.clock, Math.min(pauseMs, leftMs()), call.signal);
  }
}

async function askFor(
  deps: GatewayDeps,
  claim: KeyClaim,
): Promise<KeyAnswer | { readonly kind: 'away'; readonly error: StoreUnavailable }> {
  try {
    return await deps.store.claimKey(claim);
  } catch (error) {
    if (error instanceof StoreUnavailable) return { kind: 'away', error };
    throw error;
  }
}

function toldAgain(text: string): ChatOutcome {
  const outcome = parseOutcome(text);
  return outcome.kind === 'answered' ? { ...outcome, isReplayed: true } : outcome;
}

function notRun(requestId: RequestId, why: NotRun['why']): Found {
  return { kind: 'told', outcome: { kind: 'notRun', requestId, why } };
}
