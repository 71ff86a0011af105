import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from './client.ts';
import type { Replica } from './replica.ts';

/** How long the doors take for a question that no store has part in: what the machine and the arena itself add to every time. */
export interface DoorNoise extends AsyncDisposable {
  /** The longest, of questions asked between two instants of the arena's monotonic clock. Zero when none was. */
  worstMs(between: { readonly fromMs: number; readonly toMs: number }): number;
}

const ASK_EVERY_MS = 25;

interface Sample {
  readonly sentAtMs: number;
  readonly ms: number;
}

/** Asks every replica in turn, all the time, over connections like everybody's. */
export function listenAtDoors(of: { readonly client: Client; readonly replicas: readonly Replica[] }): DoorNoise {
  const samples: Sample[] = [];
  let isOver = false;
  const ask = async (replica: Replica) => {
    const sentAtMs = performance.now();
    await of.client.ask(replica.url, '{ __typename }').catch(() => null);
    samples.push({ sentAtMs, ms: performance.now() - sentAtMs });
  };
  const listen = async (replica: Replica) => {
    while (!isOver) {
      if (replica.isRunning) await ask(replica);
      await sleep(ASK_EVERY_MS);
    }
  };
  const listening = Promise.all(of.replicas.map(listen));
  return {
    worstMs({ fromMs, toMs }) {
      const within = samples.filter(({ sentAtMs, ms }) => sentAtMs + ms >= fromMs && sentAtMs <= toMs);
      return Math.max(0, ...within.map(({ ms }) => ms));
    },
    async [Symbol.asyncDispose]() {
      isOver = true;
      await listening;
    },
  };
}
