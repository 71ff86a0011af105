import { setTimeout as sleep } from 'node:timers/promises';
import { defineExperiment, type Finding } from '../support/experiment.ts';
import { type Outage, REFUSING, runOutage } from '../support/outage.ts';
import { SLICING } from '../support/outage-on-slices.ts';

/** PostgreSQL is stopped in good order, as for an upgrade, and started again: once with everybody refused, once with slices. */
export const outage = defineExperiment({
  number: 6,
  title: 'PostgreSQL down under load, without and with slices',
  mustYield: '0 rows lost, 0 over-spend, refusals < 300 ms, recovery < 2 s; with slices 0 failed chats while they last',
  isTimed: true,
  sizes: {
    quick: { replicas: 2, perSecond: 25, outageMs: 2_500, beforeMs: 700, afterMs: 2_800 },
    full: { replicas: 2, perSecond: 50, outageMs: 30_000, beforeMs: 3_000, afterMs: 5_000 },
  },
  async run(context, size) {
    const postgres = await context.ownPostgres();
    const refusing = await runOutage(context, { ...size, postgres }, stopServer, REFUSING);
    const slicing = await runOutage(context, { ...size, postgres }, stopServer, SLICING);
    return {
      figure: `${refusing.figure}; with slices: ${slicing.figure}`,
      figures: { ...refusing.figures, ...namedBy('slices', slicing.figures) },
      faults: [...refusing.faults, ...slicing.faults.map((fault) => `with slices: ${fault}`)],
    };
  },
});

async function stopServer({ server }: Parameters<Outage>[0], forMs: number): Promise<void> {
  await server.stop('fast');
  await sleep(forMs);
  await server.start();
}

function namedBy(name: string, figures: Finding['figures']): Finding['figures'] {
  return Object.fromEntries(Object.entries(figures).map(([figure, value]) => [`${name}.${figure}`, value]));
}
