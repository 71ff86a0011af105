import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';

/** Subscribers to `breakerEvents` who come back after every break, with the id of the last event they have. */
export interface Watchers {
  /** What each has received so far, in the order in which it came. */
  readonly received: readonly (readonly number[])[];
  /** How often one had to come back. */
  readonly reconnects: number;
  stop(): Promise<void>;
}

/** What one watcher missed or was told twice, from the first event it got to the last. */
export interface Received {
  readonly gaps: number;
  readonly duplicates: number;
}

const COME_BACK_MS = 50;
const ANSWER_MS_MAX = 10_000;
const WATCH = `subscription Watch($after: ID) { breakerEvents(after: $after, includeCurrent: false) { id dropped } }`;

export function openWatchers(of: { readonly count: number; readonly urlFor: () => string | null }): Watchers {
  const received = Array.from({ length: of.count }, (): number[] => []);
  const ending = new AbortController();
  let reconnects = 0;
  const watch = async (sequences: number[]) => {
    while (!ending.signal.aborted) {
      const url = of.urlFor();
      if (url !== null) await watchOnce(url, sequences, ending.signal);
      if (ending.signal.aborted) return;
      if (url !== null) reconnects += 1;
      await sleep(COME_BACK_MS);
    }
  };
  const watching = Promise.all(received.map(watch));
  return {
    received,
    get reconnects() {
      return reconnects;
    },
    async stop() {
      ending.abort();
      await watching;
    },
  };
}

/** One connection, until it breaks or `ending` says so. */
async function watchOnce(url: string, sequences: number[], ending: AbortSignal): Promise<void> {
  const client = createClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    lazy: true,
    lazyCloseTimeout: 0,
    connectionAckWaitTimeout: ANSWER_MS_MAX,
    onNonLazyError: () => undefined,
  });
  const last = sequences.at(-1);
  const ended = Promise.withResolvers<void>();
  const stop = client.subscribe<{ readonly breakerEvents: { readonly id: string; readonly dropped: number } }>(
    { query: WATCH, variables: { after: last === undefined ? null : idOf(last) } },
    {
      next: ({ data }) => {
        if (data === null || data === undefined) return;
        sequences.push(sequenceOf(data.breakerEvents.id));
      },
      error: () => ended.resolve(),
      complete: () => ended.resolve(),
    },
  );
  ending.addEventListener('abort', stop, { once: true });
  await ended.promise;
  ending.removeEventListener('abort', stop);
  await client.dispose();
}

const ID_DIGITS = 12;

function idOf(sequence: number): string {
  return `bev_${String(sequence).padStart(ID_DIGITS, '0')}`;
}

function sequenceOf(id: string): number {
  return Number(/^bev_0*(\d+)$/.exec(id)?.[1] ?? Number.NaN);
}

export function checkReceived(sequences: readonly number[]): Received {
  const seen = new Set(sequences);
  const first = Math.min(...sequences);
  const last = Math.max(...sequences);
  return {
    gaps: sequences.length === 0 ? 0 : last - first + 1 - seen.size,
    duplicates: sequences.length - seen.size,
  };
}
