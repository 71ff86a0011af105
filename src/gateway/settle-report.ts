import type { Permit, Settled, Settlement } from '../ports/admission.ts';
import type { Log } from '../ports/log.ts';
import type { Meters } from '../ports/meters.ts';

/** Says what operators must know of how a provider ended an attempt. Known before the store is told, and whatever becomes of that. */
export function reportEnding(
  { log, meters }: { readonly log: Log; readonly meters: Meters },
  permit: Permit,
  { charge, setAside }: Settlement,
): void {
  const { holdId, held } = permit;
  if (charge.kind === 'spent' && charge.amount > held) {
    meters.overruns.add(1);
    log.error('a provider billed above its own limit', { holdId, overrun: (charge.amount - held).toString() });
  }
  if (setAside !== null) log.error('a provider refused our credentials and is set aside', { holdId, detail: setAside });
}

/** Says what operators must know of what the store made of it. */
export function reportSettled({ log }: { readonly log: Log }, settlement: Settlement, settled: Settled): void {
  const { holdId } = settlement;
  switch (settled.kind) {
    case 'unknownHold':
      // Nothing was billed for what was never held, so an admission that is taken back may well find nothing.
      if (settlement.charge.kind !== 'nothing') log.error('settle found no such hold', { holdId });
      return;
    case 'settled': {
      if (settled.isStale) log.info('a report came too late for the breaker', { holdId });
      if (settled.transition === null) return;
      const { from, to, cause, epoch } = settled.transition;
      log.warn('a breaker changed', { holdId, from, to, cause, epoch });
      return;
    }
    case 'kept':
    case 'alreadySettled':
      return;
    default:
      settled satisfies never;
  }
}
