import { setTimeout as sleep } from 'node:timers/promises';
import { type Balancer, openBalancer } from '../support/balancer.ts';
import { describeReply, type Exchange } from '../support/client.ts';
import type { DatabaseClock } from '../support/database-clock.ts';
import { defineExperiment, makeFaults } from '../support/experiment.ts';
import { inBackground, openLoad } from '../support/load.ts';
import { makeProvider } from '../support/registry.ts';
import { openScene, type Scene } from '../support/scene.ts';
import { settleDown, until } from '../support/settle-down.ts';
import { openStreamLoad } from '../support/stream-load.ts';
import { pieceOf } from '../support/upstream/streaming.ts';
import { checkReceived, openWatchers, type Watchers } from '../support/watchers.ts';

const CALM = 'calm';
const FLAPPING = 'flapping';
const TALKING = 'talking';
const OUTPUT_TOKENS = 50;
const UPSTREAM_MS = { min: 100, max: 2_000 } as const;
/** About as long as the longest chat. */
const STREAMING = { tokens: 40, everyMs: 40 } as const;
const BETWEEN_MS = 500;
const LOAD_MS_MAX = 20 * 60_000;
const FLAP_EVERY_MS = 200;
const CATCH_UP_MS_MAX = 15_000;

/** The text that every reader must have in the end, without a gap. */
const WHOLE = Array.from({ length: STREAMING.tokens }, (_none, place) => pieceOf(place)).join('');

/** Every replica is told to stop and is started again, one after the other, while chats and subscriptions run. */
export const rollingRestart = defineExperiment({
  number: 16,
  title: 'SIGTERM and rolling restart under load',
  mustYield: '0 broken chats or streams, 0 lost rows; subscriptions resume with 0 gaps and 0 duplicates',
  isLong: true,
  sizes: {
    quick: { replicas: 2, perSecond: 15, sockets: 20, streams: 20 },
    full: { replicas: 4, perSecond: 95, sockets: 200, streams: 100 },
  },
  async run(context, size) {
    const clocks: DatabaseClock[] = [];
    await using scene = await openScene(context, {
      replicas: size.replicas,
      providers: [makeProvider(CALM), makeProvider(FLAPPING), makeProvider(TALKING)],
      prepare: async (database) => void clocks.push(await database.makeClock()),
    });
    const { chance } = context;
    scene.upstream.reactWith(({ provider }) => {
      if (provider === FLAPPING) return { kind: 'refuse', status: 500 };
      if (provider === TALKING) return { kind: 'stream', streaming: STREAMING };
      return { kind: 'answer', delayMs: chance.int(UPSTREAM_MS) };
    });
    await using balancer = openBalancer(scene);
    await until(CATCH_UP_MS_MAX, async () => balancer.next() !== null);
    const watchers = openWatchers({ count: size.sockets, urlFor: balancer.next });
    const ends: (Exchange | null)[] = [];
    const send = async (sequence: number) => {
      const userId = `user-${sequence % 50}`;
      const end = await balancer.send({ tag: `16-${sequence}`, userId, maxOutputTokens: OUTPUT_TOKENS, only: [CALM] });
      ends.push(end);
      return end;
    };
    const { perSecond } = size;
    await using load = inBackground((isOver) => openLoad({ perSecond, forMs: LOAD_MS_MAX, isOver, send }));
    await using streams = openStreamLoad({
      readers: size.streams,
      urlFor: balancer.next,
      begin: (wish) => scene.log.begin(wish),
      wishAt: (sequence) => ({
        tag: `16-stream-${sequence}`,
        userId: `reader-${sequence}`,
        maxOutputTokens: 4 * STREAMING.tokens,
        idempotencyKey: `stream-${sequence}`,
        only: [TALKING],
      }),
    });
    await using flapping = inBackground((isOver) => flap(scene, balancer, isOver));
    const faults = makeFaults();
    let openMost = 0;
    for (const replica of scene.replicas) {
      context.progress(`${replica.name} is told to stop`);
      await sleep(BETWEEN_MS);
      openMost = Math.max(openMost, scene.upstream.openCount);
      const code = await replica.stop();
      faults.expect(code === 0, `${replica.name} ended with ${code}`);
      await replica.start();
      await replica.whenReady();
    }
    await sleep(BETWEEN_MS);
    await Promise.all([load.end(), streams.end(), flapping.end()]);
    const watched = await endWatch(scene, watchers);
    const [clock] = clocks;
    if (clock === undefined) throw new RangeError('no clock');
    const { books, holds } = await settleDown(scene, clock);

    const broken = ends.filter((end) => end?.reply.kind !== 'answered');
    const brokenStreams = streams.ends.filter((end) => end.kind !== 'completed' || end.text !== WHOLE);
    faults.expect(
      brokenStreams.length === 0,
      `${brokenStreams.length} streams broke, one so: ${JSON.stringify(brokenStreams[0]?.why)} ${brokenStreams[0]?.text}`,
    );
    faults.expect(streams.ends.length > size.streams, 'no reader got a second stream, so little was shown');
    faults.list.push(...books.faults, ...watched.faults);
    faults.expect(holds === 0, `${holds} holds are left`);
    faults.expect(broken.length === 0, `${broken.length} chats were not answered, one because of ${whyOf(broken[0])}`);
    faults.expect(openMost > 0, 'no chat was under way when a replica was told to stop');
    faults.expect(watchers.reconnects > 0, 'no subscription had to come back, so nothing was shown');
    return {
      figure: `${broken.length} of ${ends.length} chats and ${brokenStreams.length} of ${streams.ends.length} streams broken, ${books.rowsLost} rows lost, up to ${openMost} under way at a stop; ${watched.gaps} gaps and ${watched.duplicates} duplicates in ${watched.events} events at ${size.sockets} sockets that came back ${watchers.reconnects} times`,
      figures: {
        chats: ends.length,
        broken: broken.length,
        streams: streams.ends.length,
        brokenStreams: brokenStreams.length,
        comebacks: streams.comebacks,
        rowsLost: books.rowsLost,
        openMost,
        events: watched.events,
        gaps: watched.gaps,
        duplicates: watched.duplicates,
        reconnects: watchers.reconnects,
      },
      faults: faults.list,
    };
  },
});

function whyOf(end: Exchange | null | undefined): string {
  return end === null || end === undefined ? 'nobody being ready' : describeReply(end.reply);
}

/** Makes breaker events: three failures open it, an operator closes it. */
async function flap(scene: Scene, balancer: Balancer, isOver: () => boolean): Promise<void> {
  for (let count = 1; !isOver(); count += 1) {
    for (let failure = 1; failure <= 3 && !isOver(); failure += 1) {
      const url = balancer.next();
      const wish = { tag: `16-flap-${count}-${failure}`, userId: null, maxOutputTokens: 1, only: [FLAPPING] };
      if (url !== null) await scene.chat(url, wish);
    }
    const url = balancer.next();
    // A replica that is just going refuses: the next round resets it.
    if (url !== null) await scene.client.ask(url, RESET).catch(() => null);
    await sleep(FLAP_EVERY_MS);
  }
}

const RESET = `mutation { resetBreaker(input: { providerId: "${FLAPPING}" }) { __typename } }`;

/** Lets everybody catch up with the newest event, and looks at what they have. */
async function endWatch(scene: Scene, watchers: Watchers) {
  const [row] = await scene.database.sql`select last::int as newest from switchyard.breaker_event_counter`;
  const newest = Number(row?.newest);
  await until(CATCH_UP_MS_MAX, async () => watchers.received.every((sequences) => sequences.at(-1) === newest));
  await watchers.stop();
  const behind = watchers.received.filter((sequences) => sequences.at(-1) !== newest).length;
  const checked = watchers.received.map(checkReceived);
  const gaps = checked.reduce((sum, one) => sum + one.gaps, 0);
  const duplicates = checked.reduce((sum, one) => sum + one.duplicates, 0);
  const faults = makeFaults();
  faults.expect(newest > 0, 'there were no events, so nothing was shown');
  faults.expect(behind === 0, `${behind} subscribers never got the newest event, ${newest}`);
  faults.expect(gaps === 0, `${gaps} events were missed`);
  faults.expect(duplicates === 0, `${duplicates} events came twice`);
  return { events: newest, gaps, duplicates, faults: faults.list };
}
