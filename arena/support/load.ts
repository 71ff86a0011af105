import { setTimeout as sleep } from 'node:timers/promises';
import type { Exchange } from './client.ts';

/** Sends one chat, or, as a load balancer does, several until one is served. */
export type Send = (sequence: number) => Promise<Exchange | null>;

const IN_FLIGHT_MAX = 2_000;

/** A load that goes on while other things are done, until it is told to end, or whoever began it leaves. */
export interface Background extends AsyncDisposable {
  /** Sends nothing new, and resolves when all have ended. */
  end(): Promise<void>;
}

export function inBackground(start: (isOver: () => boolean) => Promise<void>): Background {
  let isOver = false;
  const running = start(() => isOver);
  // Whoever ends it hears of its failure; until then it is nobody's.
  running.catch(() => undefined);
  const end = () => {
    isOver = true;
    return running;
  };
  return { end, [Symbol.asyncDispose]: () => end().catch(() => undefined) };
}

/** `callers` at once, each sending the next when the last has ended, until `isOver` says so or `countMax` were sent. */
export async function closedLoad(of: {
  readonly callers: number;
  readonly countMax: number;
  readonly isOver?: () => boolean;
  readonly send: Send;
}): Promise<void> {
  let sent = 0;
  const call = async () => {
    while (sent < of.countMax && of.isOver?.() !== true) {
      sent += 1;
      await of.send(sent);
    }
  };
  await Promise.all(Array.from({ length: of.callers }, call));
}

/**
 * A fixed number a second for a fixed time, whether or not earlier ones have ended: what a world does that does not wait for us.
 * Resolves when all have ended.
 */
export async function openLoad(of: {
  readonly perSecond: number;
  readonly forMs: number;
  readonly isOver?: () => boolean;
  readonly send: Send;
}): Promise<void> {
  const startedAtMs = performance.now();
  const running = new Set<Promise<unknown>>();
  const count = Math.ceil((of.perSecond * of.forMs) / 1_000);
  for (let sequence = 1; sequence <= count && of.isOver?.() !== true; sequence += 1) {
    const dueMs = startedAtMs + ((sequence - 1) * 1_000) / of.perSecond;
    const waitMs = dueMs - performance.now();
    if (waitMs > 1) await sleep(waitMs);
    if (running.size >= IN_FLIGHT_MAX)
      throw new RangeError(`${IN_FLIGHT_MAX} chats are under way: nothing ends any more`);
    const chat = of.send(sequence);
    running.add(chat);
    chat.then(
      () => running.delete(chat),
      () => running.delete(chat),
    );
  }
  await Promise.all(running);
}
/** The value that a share of the figures does not exceed. NaN of none. */
export function quantile(figures: readonly number[], share: number): number {
  const sorted = figures.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
