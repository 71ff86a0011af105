import type { Clock } from '../ports/clock.ts';

/** Notices when nothing has been heard for a while, again and again. Disposing ends it. */
export interface Silence extends Disposable {
  /** Something is heard. Costs no timer: streams say it at every piece. */
  heard(): void;
  /** When something was heard last, by the monotonic clock. */
  lastAtMs(): number;
}

export function watchSilence(of: { readonly clock: Clock; readonly ms: number; readonly act: () => void }): Silence {
  const { clock, ms } = of;
  let sinceMs = clock.elapsedMs();
  const look = () => {
    if (clock.elapsedMs() - sinceMs >= ms) {
      of.act();
      sinceMs = clock.elapsedMs();
    }
    if (!isOver) timer = clock.after(sinceMs + ms - clock.elapsedMs(), look);
  };
  let isOver = false;
  let timer = clock.after(ms, look);
  return {
    heard() {
      sinceMs = clock.elapsedMs();
    },
    lastAtMs: () => sinceMs,
    [Symbol.dispose]() {
      isOver = true;
      timer[Symbol.dispose]();
    },
  };
}
