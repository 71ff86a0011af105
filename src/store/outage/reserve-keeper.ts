import { SLICE } from '../../core/slices.ts';
import { StoreUnavailable } from '../../core/unavailable.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { ReservingStore } from '../../ports/store.ts';
import type { Island } from './island.ts';
import type { Asked, ReserveBook } from './reserve-book.ts';

export interface KeeperParts {
  readonly store: ReservingStore;
  readonly book: ReserveBook;
  readonly island: Island;
  readonly clock: Clock;
  readonly log: Log;
  /** Called each time round. */
  readonly look: () => void;
}

/** Reserves, renews and gives back beside the requests, which never wait for it. */
export interface ReserveKeeper {
  /** Ends that, and gives back everything that is not open. False when the store could not be told. */
  end(): Promise<boolean>;
}

export function startReserveKeeper(parts: KeeperParts): ReserveKeeper {
  const { store, book, clock } = parts;
  let timer: Disposable | null = null;
  let running: Promise<void> | null = null;
  let isEnded = false;
  const round = async () => {
    parts.look();
    const asked = store.absence() === null ? book.next() : null;
    if (asked !== null) await ask(parts, asked);
    running = null;
    rest();
  };
  const rest = () => {
    if (isEnded) return;
    timer = clock.after(SLICE.lookEveryMs, () => {
      running = round();
    });
  };
  rest();
  return {
    async end() {
      isEnded = true;
      timer?.[Symbol.dispose]();
      await running;
      const asked = book.last();
      return asked === null || (store.absence() === null && (await ask(parts, asked)));
    },
  };
}

/** True when the store has done it. */
async function ask({ store, book, island, log }: KeeperParts, asked: Asked): Promise<boolean> {
  try {
    const reserved = await store.reserve(asked.wish);
    book.told(asked, reserved);
    island.see(reserved);
    return true;
  } catch (error) {
    // Away is told elsewhere. Whatever the store has done all the same is given back by the next wish, which does not name it.
    if (!(error instanceof StoreUnavailable)) {
      log.error('what is reserved for an outage could not be renewed', { error: String(error) });
    }
    return false;
  }
}
