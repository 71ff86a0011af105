import type { Clock } from '../ports/clock.ts';

/**
 * Runs acts one after the other, each once the one before it has ended, however that went. Of those who wait, whoever has waited
 * longest for what it takes is next: who needs little does not wait for all who need much, and who needs much has its turn.
 */
export type Turns = <Result>(asker: string, act: () => Promise<Result>) => Promise<Result>;

interface Turn {
  readonly asker: string;
  readonly askedAtMs: number;
  /** Never rejects. */
  readonly run: () => Promise<void>;
}

/** Whoever uses it sees to it that askers are few, and that each waits for one act at a time. */
export function makeTurns(clock: Pick<Clock, 'elapsedMs'>): Turns {
  /** How long the last act of each asker took, a millisecond at least. */
  const tookMs = new Map<string, number>();
  const waiting: Turn[] = [];
  let isBusy = false;

  const takeNext = (): Turn | undefined => {
    const nowMs = clock.elapsedMs();
    // Whoever never had a turn counts as one who needs little.
    const claims = waiting.map(({ asker, askedAtMs }) => (nowMs - askedAtMs) / (tookMs.get(asker) ?? 1));
    return waiting.splice(claims.indexOf(Math.max(...claims)), 1)[0];
  };
  const run = async () => {
    isBusy = true;
    for (let turn = takeNext(); turn !== undefined; turn = takeNext()) {
      const startedAtMs = clock.elapsedMs();
      await turn.run();
      tookMs.set(turn.asker, Math.max(1, clock.elapsedMs() - startedAtMs));
    }
    isBusy = false;
  };
  return <Result>(asker: string, act: () => Promise<Result>) => {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    waiting.push({ asker, askedAtMs: clock.elapsedMs(), run: () => act().then(resolve, reject) });
    if (!isBusy) void run();
    return promise;
  };
}
