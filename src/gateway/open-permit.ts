import type { Paying } from '../core/paying.ts';
import { traceOf } from '../core/trace-of.ts';
import { NO_STANDING, type Standing } from '../core/verdict.ts';
import type { Charge, Permit, Settled, Settlement } from '../ports/admission.ts';
import type { ChatSpan } from '../ports/traces.ts';
import type { GatewayDeps } from './deps.ts';
import { reportEnding, reportSettled } from './settle-report.ts';

/**
 * A permit in use. Disposing of it settles it, unless it was settled: before a call is sent nothing can have been billed, after
 * that nobody knows, so the whole hold is posted.
 */
export interface OpenPermit extends AsyncDisposable {
  readonly permit: Permit;
  /** The call is about to be sent. Resolves when that is on record: from then on something may be billed. */
  dispatch(): Promise<void>;
  /** The accounts of those who pay, afterwards. Null when the store does not know. */
  settle(charge: Charge, standing: Standing): Promise<Paying | null>;
}

export function openPermit(
  deps: GatewayDeps,
  of: { readonly permit: Permit; readonly attemptMs: number; readonly span: ChatSpan },
): OpenPermit {
  const { permit, attemptMs, span } = of;
  const lease = deps.leases.keep(permit.holdId, attemptMs);
  const held = deps.held.take(permit.held);
  let isSettled = false;
  let isSent = false;
  const settle = async (charge: Charge, standing: Standing) => {
    isSettled = true;
    lease[Symbol.dispose]();
    held[Symbol.dispose]();
    using step = span.settle(permit);
    const paying = await settleFirmly(deps, of, {
      holdId: permit.holdId,
      charge,
      jitter: deps.chance.next(),
      ...standing,
    });
    step.end(paying === null ? 'left' : 'settled');
    return paying;
  };
  return {
    permit,
    async dispatch() {
      await deps.store.dispatch(permit);
      isSent = true;
    },
    settle,
    [Symbol.asyncDispose]: async () => {
      if (isSettled) return;
      await settle({ kind: isSent ? 'hold' : 'nothing' }, NO_STANDING);
    },
  };
}

/** An answer in hand is never lost because the books stumble: what is not settled expires, and is posted in full. */
async function settleFirmly(
  deps: GatewayDeps,
  { permit, span }: { readonly permit: Permit; readonly span: ChatSpan },
  settlement: Settlement,
): Promise<Paying | null> {
  const log = deps.log.with({ provider: permit.provider, model: permit.model, ...traceOf(span) });
  reportEnding({ log, meters: deps.meters }, permit, settlement);
  try {
    const settled = await deps.store.settle(settlement);
    reportSettled({ log }, settlement, settled);
    return payingAfter(settled);
  } catch (error) {
    const { holdId, held } = permit;
    log.error('settle failed: the hold expires and is posted in full', {
      holdId,
      held: held.toString(),
      error: String(error),
    });
    return null;
  }
}

function payingAfter(settled: Settled): Paying | null {
  switch (settled.kind) {
    case 'settled':
      return settled;
    case 'kept':
      return settled.paying;
    case 'alreadySettled':
    case 'unknownHold':
      return null;
    default:
      return settled satisfies never;
  }
}
