import type { ChatOutcome, NotRun } from '../core/outcome.ts';
import { statusOf } from '../core/record-of.ts';
import { JournalUnavailable, StoreUnavailable } from '../core/unavailable.ts';
import type { BrokenOff } from '../ports/meters.ts';
import type { ChatEnded } from '../ports/traces.ts';
import type { ChatEvent } from './chat.ts';
import type { GatewayDeps } from './deps.ts';
import type { ChatCall } from './gateway.ts';

/** Runs a chat, and tells its trace how it ended. One that breaks off has no record, so that the meters are told here. */
export async function* tellEnd(
  { meters }: Pick<GatewayDeps, 'meters'>,
  { span, door, signal }: Pick<ChatCall, 'span' | 'door' | 'signal'>,
  run: AsyncGenerator<ChatEvent, ChatOutcome | NotRun>,
): AsyncGenerator<ChatEvent, ChatOutcome | NotRun> {
  try {
    const outcome = yield* run;
    span.chatEnded(endOf(outcome));
    return outcome;
  } catch (error) {
    // What breaks because the caller left is no fault of ours.
    if (signal.aborted) span.chatEnded({ outcome: 'cancelled', errorCode: 'CANCELLED' });
    else {
      const how = brokenBy(error);
      meters.requestBroke(door, how.outcome);
      span.chatEnded(how);
    }
    throw error;
  }
}

function endOf(outcome: ChatOutcome | NotRun): ChatEnded {
  switch (outcome.kind) {
    case 'answered':
      return { outcome: 'succeeded', errorCode: null };
    case 'ended':
      return { outcome: statusOf(outcome.why), errorCode: outcome.why.code };
    case 'notRun':
      return { outcome: statusOfNotRun(outcome.why), errorCode: outcome.why.code };
    default:
      return outcome satisfies never;
  }
}

function statusOfNotRun(why: NotRun['why']): ChatEnded['outcome'] {
  return why.kind === 'idempotencyConflict' || why.kind === 'invalidInput' ? 'refused' : statusOf(why);
}

function brokenBy(error: unknown): ChatEnded & { readonly outcome: BrokenOff } {
  if (error instanceof StoreUnavailable) return { outcome: 'unavailable', errorCode: 'STORE_UNAVAILABLE' };
  if (error instanceof JournalUnavailable) return { outcome: 'unavailable', errorCode: 'JOURNAL_UNAVAILABLE' };
  return { outcome: 'internal', errorCode: 'INTERNAL' };
}
