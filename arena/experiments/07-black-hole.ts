import { setTimeout as sleep } from 'node:timers/promises';
import { defineExperiment } from '../support/experiment.ts';
import { type Outage, REFUSING, runOutage } from '../support/outage.ts';

/** Half of the time everything is swallowed; in the other half it only stands still, and arrives long after anybody waits for it. */
export const blackHole = defineExperiment({
  number: 7,
  title: 'PostgreSQL in a black hole under load',
  mustYield: 'as when it is down; nobody waits past the store deadline + 50 ms',
  isTimed: true,
  sizes: {
    quick: { replicas: 2, perSecond: 25, outageMs: 2_500, beforeMs: 700, afterMs: 2_800 },
    full: { replicas: 2, perSecond: 50, outageMs: 30_000, beforeMs: 3_000, afterMs: 5_000 },
  },
  run: async (context, size) =>
    runOutage(context, { ...size, postgres: await context.ownPostgres() }, swallow, REFUSING),
});

async function swallow({ proxy }: Parameters<Outage>[0], forMs: number): Promise<void> {
  proxy?.set({ kind: 'blackHole' });
  await sleep(forMs / 2);
  proxy?.set({ kind: 'stall' });
  await sleep(forMs / 2);
  proxy?.set({ kind: 'none' });
}
