import type { Settled, Settlement } from '../ports/admission.ts';
import type { Log } from '../ports/log.ts';
import type { Meters } from '../ports/meters.ts';

/** Says what operators must know of how a permit ended. */
export function reportSettled(
  { log, meters }: { readonly log: Log; readonly meters: Meters },
  settlement: Settlement,
  settled: Settled,
): void {
  const { holdId, setAside } = settlement;
  switch (settled.kind) {
    case 'unknownHold':
      // Nothing was billed for what was never held, so an admission that is taken back may well find nothing.
      if (settlement.charge.kind !== 'nothing') log.error('settle found no such hold', { holdId });
      return;
    case 'settled': {
      if (settled.overrun > 0n) {
        meters.overruns.add(1);
        log.error('a provider billed above its own limit', { holdId, overrun: settled.overrun.toString() });
      }
      if (settled.isStale) log.info('a report came too late for the breaker', { holdId });
      if (setAside !== null) {
        log.error('a provider refused our credentials and is set aside', { holdId, detail: setAside });
      }
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
