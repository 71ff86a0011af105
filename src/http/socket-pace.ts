import type { WebSocket } from 'ws';

/**
 * What one connection may have under way before no more is read from it. `dealtMax` leaves room beside all operations that it may
 * run, so that one of them can still be taken back.
 */
export const PACE_LIMITS = { dealtMax: 64, unsentBytesMax: 1_000_000 } as const;

/** Reads from a connection no faster than it is dealt with, and than the other side reads. */
export interface SocketPace {
  /** Counts one message until it has been dealt with, in whichever way. */
  run(work: () => Promise<void>): Promise<void>;
  /** Finds out whether to read on: to be asked whenever there is more or less to send. */
  look(): void;
}

export function makeSocketPace(socket: WebSocket): SocketPace {
  let count = 0;
  const look = () => {
    const isBehind = count >= PACE_LIMITS.dealtMax || socket.bufferedAmount > PACE_LIMITS.unsentBytesMax;
    if (isBehind === socket.isPaused) return;
    if (isBehind) socket.pause();
    else socket.resume();
  };
  return {
    look,
    async run(work) {
      count += 1;
      look();
      try {
        await work();
      } finally {
        count -= 1;
        look();
      }
    },
  };
}
