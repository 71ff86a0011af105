import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Clock } from '../ports/clock.ts';

/**
 * A client that does not answer a ping before the next one is due is gone. Before it has shown who it is, all that it sends together
 * may have `unprovenBytesMax`.
 */
const LIMITS = { pingEveryMs: 15_000, closeMs: 1_000, unprovenBytesMax: 65_536 } as const;

/** Why a connection is closed. Clients connect again, but for the second and, with the same credential, the third. */
export const CLOSES = {
  goingAway: { code: 1001, reason: 'Going away' },
  unauthorized: { code: 4401, reason: 'Unauthorized' },
  tooMuch: { code: 1009, reason: 'Too much before it was said who comes' },
  keyEnded: { code: 4403, reason: 'Forbidden' },
  tooMany: { code: 1013, reason: 'Too many connections with this key' },
  tryLater: { code: 1013, reason: 'Try again later' },
} as const;

export interface Close {
  readonly code: number;
  readonly reason: string;
}

/** Finds out that a client is gone although its connection was never closed. */
export function startHeart(socket: WebSocket, clock: Clock): Disposable {
  let isAlive = true;
  let timer = clock.after(LIMITS.pingEveryMs, beat);
  function beat() {
    if (!isAlive) return socket.terminate();
    isAlive = false;
    socket.ping();
    timer = clock.after(LIMITS.pingEveryMs, beat);
  }
  socket.on('pong', () => {
    isAlive = true;
  });
  return { [Symbol.dispose]: () => timer[Symbol.dispose]() };
}

/** Tells it to close. */
export function closeSocket(socket: WebSocket | undefined, { code, reason }: Close): void {
  socket?.close(code, reason);
}

/** Calls when somebody unknown sends more than anybody needs to say who they are. */
export function watchUnproven(of: {
  readonly bytes: Duplex;
  readonly isProven: () => boolean;
  readonly act: () => void;
}): void {
  let count = 0;
  of.bytes.on('data', function measure(chunk: Buffer) {
    count += chunk.length;
    const isProven = of.isProven();
    if (!isProven && count <= LIMITS.unprovenBytesMax) return;
    of.bytes.off('data', measure);
    if (!isProven) of.act();
  });
}

/** Closes it, and hangs up on one that does not answer. */
export function hangUp(socket: WebSocket, clock: Clock, why: Close): Promise<void> {
  const timer = clock.after(LIMITS.closeMs, () => socket.terminate());
  closeSocket(socket, why);
  return new Promise((resolve) => {
    socket.once('close', () => {
      timer[Symbol.dispose]();
      resolve();
    });
  });
}
