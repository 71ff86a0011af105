import { StoreUnavailable } from '../../core/unavailable.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { CarriedOut } from '../../ports/replay.ts';

/** How many acts are carried out at the same time, and how long after a failure they are tried again. */
const DRAINER = { togetherMax: 256, restMs: 100, brokenRestMs: 60_000 } as const;

/** Carries out what was kept, in the background, until it is done. */
export interface Drainer extends Disposable {
  /** Resolves when the act was carried out, however long that takes. Never rejects. */
  add(act: string): Promise<CarriedOut>;
  /** Resolves when everything that was added so far was carried out, except for what cannot be because of a bug. */
  caughtUp(): Promise<void>;
  /** Acts that are not carried out yet, and can be. */
  count(): number;
}

/** Money has one of its own: whatever the request log or a large answer takes, the ends of permits do not wait for it. */
export interface Drainers {
  readonly ends: Drainer;
  readonly others: Drainer;
}

interface Pending {
  readonly act: string;
  readonly done: PromiseWithResolvers<CarriedOut>;
  /** Resolved when it was carried out, or cannot be because of a bug: those who wait for all wait no longer for it. */
  readonly tried: PromiseWithResolvers<void>;
}

export function startDrainer(of: {
  readonly carryOut: (act: string) => Promise<CarriedOut>;
  readonly clock: Clock;
  readonly log: Log;
}): Drainer {
  const pending = new Set<Pending>();
  const waiting: Pending[] = [];
  const rests = new Set<Disposable>();
  let underWay = 0;
  let rest: Disposable | null = null;
  let isStopped = false;

  const carryOut = async (item: Pending) => {
    underWay += 1;
    try {
      const carried = await of.carryOut(item.act);
      leave(item);
      item.done.resolve(carried);
    } catch (error) {
      if (error instanceof StoreUnavailable) {
        waiting.push(item);
        sleep();
      } else {
        // A bug of ours: it stays in the journal, and must not hold up the others.
        of.log.error('a kept act cannot be carried out', { error: String(error), act: item.act.slice(0, 200) });
        leave(item);
        later(item);
      }
    }
    underWay -= 1;
    go();
  };
  const leave = (item: Pending) => {
    pending.delete(item);
    item.tried.resolve();
  };
  const go = () => {
    while (!isStopped && rest === null && underWay < DRAINER.togetherMax) {
      const item = waiting.shift();
      if (item === undefined) return;
      void carryOut(item);
    }
  };
  const later = (item: Pending) => {
    const tryAgain = () => {
      rests.delete(timer);
      waiting.push(item);
      go();
    };
    const timer = of.clock.after(DRAINER.brokenRestMs, tryAgain);
    rests.add(timer);
  };
  const sleep = () => {
    rest ??= of.clock.after(DRAINER.restMs, () => {
      rest = null;
      go();
    });
  };

  return {
    add(act) {
      const item = { act, done: Promise.withResolvers<CarriedOut>(), tried: Promise.withResolvers<void>() };
      pending.add(item);
      waiting.push(item);
      go();
      return item.done.promise;
    },
    async caughtUp() {
      await Promise.all([...pending].map(({ tried }) => tried.promise));
    },
    count: () => pending.size,
    [Symbol.dispose]() {
      isStopped = true;
      rest?.[Symbol.dispose]();
      for (const timer of rests) timer[Symbol.dispose]();
    },
  };
}
