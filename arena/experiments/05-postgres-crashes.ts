import { setTimeout as sleep } from 'node:timers/promises';
import { endingsOf } from '../support/client-log.ts';
import type { DatabaseClock } from '../support/database-clock.ts';
import { defineExperiment, makeFaults } from '../support/experiment.ts';
import { inBackground, openLoad } from '../support/load.ts';
import { makeProvider } from '../support/registry.ts';
import { openScene, replicaAt } from '../support/scene.ts';
import { settleDown } from '../support/settle-down.ts';

const OUTPUT_TOKENS = 50;
const UPSTREAM_MS = { min: 5, max: 80 } as const;
const RUNNING_MS = { min: 300, max: 1_200 } as const;
const DOWN_MS = { min: 0, max: 600 } as const;
const LOAD_MS_MAX = 20 * 60_000;

/** PostgreSQL falls without writing anything more, as with `kill -9`, and recovers from its log. */
export const postgresCrashes = defineExperiment({
  number: 5,
  title: 'immediate stops of PostgreSQL under load',
  mustYield: '0 acknowledged settles missing, 0 double',
  isLong: true,
  sizes: { quick: { stops: 2, perSecond: 20, replicas: 2 }, full: { stops: 20, perSecond: 40, replicas: 2 } },
  async run(context, size) {
    const clocks: DatabaseClock[] = [];
    await using scene = await openScene(context, {
      replicas: size.replicas,
      providers: [makeProvider('steady'), makeProvider('other')],
      postgres: await context.ownPostgres(),
      isProxied: true,
      prepare: async (database) => void clocks.push(await database.makeClock()),
    });
    const { chance } = context;
    scene.upstream.reactWith(() => ({ kind: 'answer', delayMs: chance.int(UPSTREAM_MS) }));
    const send = (sequence: number) => {
      const wish = { tag: `5-${sequence}`, userId: `user-${sequence % 20}`, maxOutputTokens: OUTPUT_TOKENS };
      return scene.chat(replicaAt(scene, sequence).url, wish);
    };
    const { perSecond } = size;
    await using load = inBackground((isOver) => openLoad({ perSecond, forMs: LOAD_MS_MAX, isOver, send }));
    for (let stop = 1; stop <= size.stops; stop += 1) {
      context.progress(`stop ${stop} of ${size.stops}`);
      await sleep(chance.int(RUNNING_MS));
      await scene.server.stop('immediate');
      await sleep(chance.int(DOWN_MS));
      await scene.server.start();
      await Promise.all(scene.replicas.map((replica) => replica.whenReady()));
    }
    await sleep(RUNNING_MS.max);
    await load.end();
    const [clock] = clocks;
    if (clock === undefined) throw new RangeError('no clock');
    const { books, held, holds } = await settleDown(scene, clock);
    const endings = endingsOf(scene.log.exchanges);
    const faults = makeFaults();
    faults.list.push(...books.faults);
    faults.expect(books.answered > 0, 'nothing was answered, so nothing was shown');
    faults.expect(endings.size > 1, 'no chat met a stop, so nothing was shown');
    faults.expect(held === 0n && holds === 0, `${holds} holds are left`);
    return {
      figure: `${books.settlesLost} of ${books.answered} acknowledged settles missing, ${books.doublePostings} double, in ${size.stops} stops; ${books.rowsLost} rows lost`,
      figures: {
        stops: size.stops,
        answered: books.answered,
        settlesLost: books.settlesLost,
        double: books.doublePostings,
        rowsLost: books.rowsLost,
        refused: scene.log.exchanges.length - books.answered,
      },
      faults: faults.list,
    };
  },
});
