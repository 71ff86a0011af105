import { setTimeout as sleep } from 'node:timers/promises';
import { makeRateWindow, RATE_WINDOW, takeSlot } from '../../src/core/rate-window.ts';
import { epochMs } from '../../src/core/time.ts';
import type { Chance } from '../support/chance.ts';
import type { DatabaseClock } from '../support/database-clock.ts';
import { type Context, defineExperiment, makeFaults } from '../support/experiment.ts';
import { closedLoad, openLoad } from '../support/load.ts';
import { makeProvider } from '../support/registry.ts';
import { openScene, replicaAt, type Scene } from '../support/scene.ts';
import { occupancyOf, worstWindow } from '../support/windows.ts';

const PROVIDER = 'limited';
const VIRTUAL_LIMIT = 60;
/** Arrivals far above the limit, so that a slot is never free for long. */
const VIRTUAL_GAP_MS_MEAN = 15;
const VIRTUAL_USE_MIN = 0.999;
const OUTPUT_TOKENS = 10;
const CHATS_MAX = 100_000;

/** What is counted: the core by itself, and replicas under callers who come back exactly when they are told to. */
export const rollingWindow = defineExperiment({
  number: 13,
  title: 'rolling window under saturation',
  mustYield: 'worst 60 s window = limit; use >= 99.9 %',
  sizes: {
    // The clock of the quick tier runs faster, and so every millisecond of the machine costs more use.
    quick: {
      arrivals: 1_000_000,
      replicas: 2,
      callersPerReplica: 4,
      limit: 60,
      clockSpeed: 12,
      measuredS: 130,
      usePercentMin: 90,
    },
    full: {
      arrivals: 1_000_000,
      replicas: 8,
      callersPerReplica: 2,
      limit: 60,
      clockSpeed: 1,
      measuredS: 130,
      usePercentMin: 99.9,
    },
  },
  async run(context, size) {
    const faults = makeFaults();
    context.progress(`${size.arrivals} virtual arrivals`);
    const core = arriveAtCore(context.chance, size.arrivals);
    faults.expect(core.worst === VIRTUAL_LIMIT, `core: the worst window holds ${core.worst} of ${VIRTUAL_LIMIT}`);
    faults.expect(core.use >= VIRTUAL_USE_MIN, `core: ${(100 * core.use).toFixed(2)} % used`);

    const real = await saturate(context, size);
    faults.expect(
      real.worst <= size.limit,
      `replicas: a window of 60 s has ${real.worst} permits at a limit of ${size.limit}`,
    );
    faults.expect(
      real.worst === size.limit,
      `replicas: no window was full, the fullest has ${real.worst} of ${size.limit}`,
    );
    // On a clock that runs faster the way to the provider takes longer than what a slot is kept for it.
    const areReceiptsExact = size.clockSpeed === 1;
    faults.expect(
      !areReceiptsExact || real.worstReceived <= size.limit,
      `upstream: ${real.worstReceived} requests within 60 s`,
    );
    faults.expect(100 * real.use >= size.usePercentMin, `replicas: ${(100 * real.use).toFixed(2)} % used`);
    return {
      figure: `worst window ${core.worst} of ${VIRTUAL_LIMIT} in ${size.arrivals} virtual arrivals, ${(100 * core.use).toFixed(2)} % used; with ${size.replicas} replicas ${real.worst} of ${size.limit} permitted (${real.worstReceived} received), ${(100 * real.use).toFixed(2)} % used`,
      figures: {
        coreWorst: core.worst,
        coreUse: core.use,
        worst: real.worst,
        worstReceived: real.worstReceived,
        use: real.use,
        permits: real.permits,
      },
      faults: faults.list,
    };
  },
});

/** Steady pressure with bursts and pauses, on `src/core/rate-window.ts` alone. */
function arriveAtCore(chance: Chance, arrivals: number): { readonly worst: number; readonly use: number } {
  let window = makeRateWindow(VIRTUAL_LIMIT);
  let nowMs = 1_000_000;
  const takenAtMs: number[] = [];
  for (let arrival = 0; arrival < arrivals; arrival += 1) {
    const take = takeSlot(window, epochMs(nowMs));
    if (take.kind === 'taken') {
      window = take.window;
      takenAtMs.push(nowMs);
    }
    nowMs += chance.next() < 0.5 ? 0 : chance.int({ min: 1, max: 4 * VIRTUAL_GAP_MS_MEAN });
  }
  const use = occupancyOf(takenAtMs, {
    keptMs: RATE_WINDOW.slotMs,
    limit: VIRTUAL_LIMIT,
    fromMs: 1_000_000 + RATE_WINDOW.slotMs,
    toMs: nowMs,
  });
  return { worst: worstWindow(takenAtMs, RATE_WINDOW.windowMs), use };
}

interface Saturated {
  readonly worst: number;
  readonly worstReceived: number;
  readonly use: number;
  readonly permits: number;
}

interface Pressure {
  readonly replicas: number;
  readonly callersPerReplica: number;
  readonly limit: number;
  readonly clockSpeed: number;
  readonly measuredS: number;
}

async function saturate(context: Context, size: Pressure): Promise<Saturated> {
  let clock: DatabaseClock | null = null;
  await using scene = await openScene(context, {
    replicas: size.replicas,
    providers: [makeProvider(PROVIDER, { requestsPerMinute: size.limit })],
    prepare: async (database) => {
      clock = await database.makeClock();
      await clock.runAt(size.clockSpeed);
    },
  });
  const realMs = (ms: number) => ms / size.clockSpeed;
  const startedAtMs = performance.now();
  const elapsedMs = () => (performance.now() - startedAtMs) * size.clockSpeed;
  context.progress(`taking ${size.limit} slots one after the other, over a minute of the database's clock`);
  await openLoad({
    perSecond: (size.limit * size.clockSpeed) / 60,
    forMs: realMs(60_000),
    send: (sequence) => scene.chat(replicaAt(scene, sequence).url, wishOf(`ramp-${sequence}`)),
  });
  context.progress(`${size.measuredS} s of the database's clock under pressure`);
  const endsAtMs = elapsedMs() + size.measuredS * 1_000;
  await closedLoad({
    callers: size.replicas * size.callersPerReplica,
    countMax: CHATS_MAX,
    isOver: () => elapsedMs() > endsAtMs,
    async send(sequence) {
      const exchange = await scene.chat(replicaAt(scene, sequence).url, wishOf(String(sequence)));
      const { reply } = exchange;
      const waitMs = reply.kind === 'refused' ? (reply.retryAfterMs ?? 100) : 0;
      if (waitMs > 0) await sleep(Math.min(realMs(waitMs), Math.max(0, realMs(endsAtMs - elapsedMs())) + 1));
      return exchange;
    },
  });
  return measure(scene, size);
}

function wishOf(tag: string) {
  return { tag: `13-${tag}`, userId: null, maxOutputTokens: OUTPUT_TOKENS };
}

/** By the instants of the database, at which slots were taken, and by the receipts of the upstream. */
async function measure(scene: Scene, size: Pressure): Promise<Saturated> {
  const rows = await scene.database.sql`
    select extract(epoch from started_at)::float8 * 1000 as at from switchyard.hold order by started_at`;
  const permitsAtMs = rows.map((row) => Number(row.at));
  const receivedAtMs = scene.upstream.bill.read().map(({ atMs }) => atMs * size.clockSpeed);
  const [firstMs = 0] = permitsAtMs;
  const lastMs = permitsAtMs.at(-1) ?? 0;
  const { slotMs, windowMs } = RATE_WINDOW;
  return {
    worst: worstWindow(permitsAtMs, windowMs),
    worstReceived: worstWindow(receivedAtMs, windowMs),
    // From when every slot has been taken once.
    use: occupancyOf(permitsAtMs, { keptMs: slotMs, limit: size.limit, fromMs: firstMs + slotMs, toMs: lastMs }),
    permits: permitsAtMs.length,
  };
}
