import type { ServerResponse } from 'node:http';
import type { Clock } from '../ports/clock.ts';

/** How long a reader may take nothing. Then its connection is closed: it fills a place that others wait for. */
export const STALLED_MS = 60_000;

/** A whole answer goes out in pieces of this size, so that a slow reader is not taken for one who takes nothing. */
const PIECE_BYTES = 64 * 1024;

/** Sends all that is left of an answer, at the pace of its reader. Resolves when it has gone out, or nobody is there to take it. */
export async function sendAll(response: ServerResponse, bytes: Buffer, clock: Clock): Promise<void> {
  let at = 0;
  for (; at + PIECE_BYTES < bytes.length && !response.closed; at += PIECE_BYTES) {
    if (!response.write(bytes.subarray(at, at + PIECE_BYTES))) await whenDrained(response, clock);
  }
  if (response.closed) return;
  const sent = whenSent(response, clock);
  response.end(bytes.subarray(at));
  return sent;
}

/** Resolves when the answer has gone out, or nobody is there to take it. */
export function whenSent(response: ServerResponse, clock: Clock): Promise<void> {
  return whenEither(response, 'finish', clock);
}

/** Resolves when more can be written, or never will be. */
export function whenDrained(response: ServerResponse, clock: Clock): Promise<void> {
  return whenEither(response, 'drain', clock);
}

/** Leaves no listener behind: a long stream waits often. */
function whenEither(response: ServerResponse, event: 'finish' | 'drain', clock: Clock): Promise<void> {
  if (response.closed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      response.off(event, done);
      response.off('close', done);
      patience[Symbol.dispose]();
      resolve();
    };
    const patience = clock.after(STALLED_MS, () => {
      response.destroy();
      done();
    });
    response.on(event, done);
    response.on('close', done);
  });
}
