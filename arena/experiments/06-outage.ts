import { setTimeout as sleep } from 'node:timers/promises';
import { defineExperiment } from '../support/experiment.ts';
import { runOutage } from '../support/outage.ts';

/** PostgreSQL is stopped in good order, as for an upgrade, and started again. */
export const outage = defineExperiment({
  number: 6,
  title: 'PostgreSQL down under load',
  mustYield: '0 rows lost, 0 over-spend, refusals < 300 ms, recovery < 2 s',
  isTimed: true,
  sizes: {
    quick: { replicas: 2, perSecond: 25, outageMs: 3_000, beforeMs: 1_000, afterMs: 4_000 },
    full: { replicas: 2, perSecond: 50, outageMs: 30_000, beforeMs: 3_000, afterMs: 5_000 },
  },
  run: (context, size) =>
    runOutage(context, size, async ({ server }, forMs) => {
      await server.stop('fast');
      await sleep(forMs);
      await server.start();
    }),
});
