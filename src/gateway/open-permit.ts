import type { Account } from '../core/account.ts';
import type { Standing } from '../core/verdict.ts';
import type { Charge, Permit, Settled, Settlement } from '../ports/admission.ts';
import type { Log } from '../ports/log.ts';
import type { GatewayDeps } from './deps.ts';

/** How often settling is tried while the store does not answer. After that the hold expires and is posted in full. */
const SETTLE_TRIES_MAX = 3;

/**
 * A permit in use. Disposing of it settles it, unless it was settled: before a call is sent nothing can have been billed, after
 * that nobody knows, so the whole hold is posted.
 */
export interface OpenPermit extends AsyncDisposable {
  readonly permit: Permit;
  /** From now on something may be billed. */
  markSent(): void;
  /** The payer's account afterwards. Null when the store did not answer, or had settled it before. */
  settle(charge: Charge, standing: Standing): Promise<Account | null>;
}

export function openPermit(deps: GatewayDeps, permit: Permit): OpenPermit {
  let isSettled = false;
  let isSent = false;
  const settle = async (charge: Charge, standing: Standing) => {
    isSettled = true;
    return settleFirmly(deps, permit, { holdId: permit.holdId, charge, jitter: deps.chance.next(), ...standing });
  };
  return {
    permit,
    markSent() {
      isSent = true;
    },
    settle,
    [Symbol.asyncDispose]: async () => {
      if (isSettled) return;
      await settle(
        { kind: isSent ? 'hold' : 'nothing' },
        { verdict: { kind: 'neutral' }, throttledForMs: null, setAside: null },
      );
    },
  };
}

/** Settles, also when the store stumbles: a settle is idempotent. An answer in hand is never lost because of it. */
async function settleFirmly(deps: GatewayDeps, permit: Permit, settlement: Settlement): Promise<Account | null> {
  const log = deps.log.with({ holdId: permit.holdId, provider: permit.provider });
  for (let tries = 1; tries <= SETTLE_TRIES_MAX; tries += 1) {
    try {
      const settled = await deps.store.settle(settlement);
      if (settled.kind === 'unknownHold') log.error('settle found no such hold');
      if (settled.kind !== 'settled') return null;
      if (settled.overrun > 0n) deps.meters.overruns.add(1);
      report(log, permit, settlement, settled);
      return settled.account;
    } catch (error) {
      log.error('settle failed', { tries, error: String(error) });
    }
  }
  log.error('the hold stays open: it will expire and be posted in full', { held: permit.held.toString() });
  return null;
}

function report(
  log: Log,
  permit: Permit,
  settlement: Settlement,
  settled: Extract<Settled, { kind: 'settled' }>,
): void {
  if (settled.overrun > 0n) {
    log.error('a provider billed above its own limit', { overrun: settled.overrun.toString(), model: permit.model });
  }
  if (settled.isStale) log.info('a report came too late for the breaker');
  if (settlement.setAside !== null) {
    log.error('a provider refused our credentials and is set aside', { detail: settlement.setAside });
  }
  if (settled.transition !== null) {
    const { from, to, cause, epoch } = settled.transition;
    log.warn('a breaker changed', { from, to, cause, epoch });
  }
}
