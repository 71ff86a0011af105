import { setTimeout as sleep } from 'node:timers/promises';
import type { DatabaseClock } from '../support/database-clock.ts';
import { type Context, defineExperiment, makeFaults, TooCrowded } from '../support/experiment.ts';
import { closedLoad, inBackground, openLoad } from '../support/load.ts';
import { makeProvider } from '../support/registry.ts';
import { openScene, replicaAt, type Scene } from '../support/scene.ts';
import { worstWindow } from '../support/windows.ts';

const PROVIDER = 'limited';
const OUTPUT_TOKENS = 10;
const CHATS_MAX = 100_000;
/** Whoever makes noise does not wait for longer than this, whatever it is told; on the database's clock. */
const NOISE_WAIT_MS_MAX = 10_000;
/** Who comes later than this is not waited for any more. Where a chat takes as long, nothing is said of who waits. */
const WAITED_MS = 5_000;

/** One tenant with many callers takes whatever a provider has, and another asks for little. */
export const noisyTenant = defineExperiment({
  number: 22,
  title: 'a noisy tenant beside a quiet one',
  mustYield: 'the quiet one gets all that it asks for, up to half of the limit',
  sizes: {
    // The database's clock runs faster in the quick tier, so that a minute passes in seconds.
    quick: { replicas: 2, noisyCallers: 64, limit: 60, clockSpeed: 6, measuredS: 45, everyS: 3, patienceS: 20 },
    full: { replicas: 4, noisyCallers: 64, limit: 60, clockSpeed: 1, measuredS: 240, everyS: 3, patienceS: 20 },
  },
  isTimed: true,
  async run(context, size) {
    const faults = makeFaults();
    const found = await shareOut(context, size);
    if (found.answerMsMax > WAITED_MS) throw new TooCrowded(`an answer took ${found.answerMsMax} ms of that clock`);
    const { asked, served, noisyInMinuteMax, slowestMs } = found;
    const noiseMin = size.limit / 2;
    faults.expect(served === asked, `of ${asked} chats of the quiet tenant ${asked - served} were not served in time`);
    faults.expect(asked >= size.measuredS / size.everyS / 2, `the quiet tenant asked ${asked} times only`);
    faults.expect(found.refused > 0, 'the quiet tenant was never refused: there was no noise');
    faults.expect(noisyInMinuteMax >= noiseMin, `the noisy tenant got ${noisyInMinuteMax} in its best minute`);
    return {
      figure: `${served} of ${asked} chats of the quiet tenant served, ${found.refused} after it was told to wait, the slowest after ${(slowestMs / 1_000).toFixed(1)} s; the noisy one got ${found.noisy} of ${found.noisyAsked}, and up to ${noisyInMinuteMax} in a minute`,
      figures: { ...found },
      faults: faults.list,
    };
  },
});

interface Size {
  readonly replicas: number;
  readonly noisyCallers: number;
  readonly limit: number;
  readonly clockSpeed: number;
  readonly measuredS: number;
  readonly everyS: number;
  readonly patienceS: number;
}

interface Shared {
  readonly asked: number;
  readonly served: number;
  /** Chats of the quiet tenant that were told to wait at first. */
  readonly refused: number;
  readonly slowestMs: number;
  /** The longest that one answer to the quiet tenant took. */
  readonly answerMsMax: number;
  readonly noisyAsked: number;
  readonly noisy: number;
  readonly noisyInMinuteMax: number;
}

async function shareOut(context: Context, size: Size): Promise<Shared> {
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
  context.progress('the noisy tenant takes every slot, over a minute of the database’s clock');
  await openLoad({
    perSecond: (size.limit * size.clockSpeed) / 60,
    forMs: realMs(60_000),
    send: (sequence) => scene.chat(replicaAt(scene, sequence).url, wishOf('noisy', `ramp-${sequence}`)),
  });
  let noisyAsked = 0;
  await using noise = inBackground((isOver) =>
    closedLoad({
      callers: size.noisyCallers,
      countMax: CHATS_MAX,
      isOver,
      async send(sequence) {
        noisyAsked += 1;
        const exchange = await scene.chat(replicaAt(scene, sequence).url, wishOf('noisy', String(sequence)));
        const { reply } = exchange;
        const waitMs = reply.kind === 'refused' ? (reply.retryAfterMs ?? 100) : 0;
        if (waitMs > 0) await sleep(realMs(Math.min(waitMs, NOISE_WAIT_MS_MAX)));
        return exchange;
      },
    }),
  );
  context.progress(`${size.measuredS} s of the database's clock beside a quiet tenant`);
  const quiet: Answered[] = [];
  await openLoad({
    perSecond: size.clockSpeed / size.everyS,
    forMs: realMs(size.measuredS * 1_000),
    async send(sequence) {
      quiet.push(await askUntilServed(scene, { sequence, patienceMs: realMs(size.patienceS * 1_000), realMs }));
      return null;
    },
  });
  await noise.end();
  const { total, inMinuteMax } = await permitsOfNoise(scene);
  return {
    asked: quiet.length,
    served: quiet.filter(({ isServed }) => isServed).length,
    refused: quiet.filter(({ refusals }) => refusals > 0).length,
    slowestMs: Math.max(...quiet.map(({ ms }) => ms)) * size.clockSpeed,
    answerMsMax: Math.round(Math.max(...quiet.map(({ answerMs }) => answerMs)) * size.clockSpeed),
    noisyAsked,
    noisy: total,
    noisyInMinuteMax: inMinuteMax,
  };
}

interface Answered {
  readonly isServed: boolean;
  readonly refusals: number;
  /** In real time. */
  readonly ms: number;
  /** The longest of its answers, in real time. */
  readonly answerMs: number;
}

/** Comes back exactly when it is told to, as a client does that means well. */
async function askUntilServed(
  scene: Scene,
  of: { readonly sequence: number; readonly patienceMs: number; readonly realMs: (ms: number) => number },
): Promise<Answered> {
  const beganAtMs = performance.now();
  let answerMs = 0;
  for (let refusals = 0; ; refusals += 1) {
    const wish = wishOf('quiet', `${of.sequence}-${refusals}`);
    const { reply, ms: tookMs } = await scene.chat(replicaAt(scene, of.sequence + refusals).url, wish);
    answerMs = Math.max(answerMs, tookMs);
    const ms = performance.now() - beganAtMs;
    if (reply.kind === 'answered') return { isServed: true, refusals, ms, answerMs };
    const waitMs = of.realMs(reply.kind === 'refused' ? (reply.retryAfterMs ?? 1_000) : 1_000);
    if (ms + waitMs > of.patienceMs) return { isServed: false, refusals: refusals + 1, ms, answerMs };
    await sleep(waitMs);
  }
}

function wishOf(userId: string, tag: string) {
  return { tag: `22-${userId}-${tag}`, userId, maxOutputTokens: OUTPUT_TOKENS };
}

/** By the instants of the database at which slots were taken. */
async function permitsOfNoise(scene: Scene): Promise<{ readonly total: number; readonly inMinuteMax: number }> {
  const rows = await scene.database.sql`
    select extract(epoch from started_at)::float8 * 1000 as at from switchyard.hold where account = 'user:noisy' order by started_at`;
  return {
    total: rows.length,
    inMinuteMax: worstWindow(
      rows.map((row) => Number(row.at)),
      60_000,
    ),
  };
}
