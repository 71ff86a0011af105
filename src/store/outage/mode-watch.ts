import type { StoreMode } from '../../core/store-mode.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';

/** Answers a function that says in the log, when it is called, that the mode is another one than before. */
export function makeModeWatch(of: {
  readonly mode: () => StoreMode;
  readonly clock: Pick<Clock, 'elapsedMs'>;
  readonly log: Log;
}): () => void {
  let last: StoreMode['kind'] = 'normal';
  return () => {
    const mode = of.mode();
    if (mode.kind === last) return;
    const change = { from: last, to: mode.kind };
    last = mode.kind;
    switch (mode.kind) {
      case 'normal':
        of.log.warn('the store answers: all accounts are served', change);
        return;
      case 'slices': {
        const { accounts, untilMs, why } = mode;
        const forMs = Math.round(untilMs - of.clock.elapsedMs());
        of.log.error('the store is away: accounts go on from their slices', {
          ...change,
          accounts,
          forMs,
          reason: why,
        });
        return;
      }
      case 'refusing':
        of.log.error('the store is away, and nothing is reserved: what needs it is refused', {
          ...change,
          reason: mode.why,
        });
        return;
      default:
        mode satisfies never;
    }
  };
}
