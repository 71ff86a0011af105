import { readFile } from 'node:fs/promises';
import { defineExperiment, makeFaults } from '../support/experiment.ts';
import { openLoad, quantile } from '../support/load.ts';
import { makeProvider } from '../support/registry.ts';
import { openScene, replicaAt, type Scene } from '../support/scene.ts';
import { until } from '../support/settle-down.ts';
import { openSubscriber, type Subscriber } from '../support/subscriber.ts';

const OUTPUT_TOKENS = 50;
/** A chat that goes well begins and ends. */
const EVENTS_A_CHAT = 2;
/** Judged in the full tier alone: in a short run one late second of the machine is more than a hundredth of it. */
const LAG_MS_MAX = 50;
const CATCH_UP_MS_MAX = 30_000;
const WARM_UP = { perSecond: 20, forMs: 2_000 } as const;

const FIELDS = 'kind dropped request { userId }';
const WATCH = `subscription { requestEvents { ${FIELDS} } }`;
/**
 * Until the buffers of the operating system are full, nobody notices that somebody does not read. So this one asks for so much of each
 * event that they are soon, whatever is in it: as much as one document may, and that many times over.
 */
const SIZE = Array.from({ length: 15 }, (_none, place) => `again${place}: userId`).join(' ');
const WATCH_MUCH = `subscription { requestEvents { ${FIELDS} request { ${SIZE} } } }`;
const STALLED_WATCHES = Array.from({ length: 48 }, () => WATCH_MUCH);
/** Users' names, by which an event's chat is known, are as long as they may be. */
const NAME_CHARS = 200;

/** One of a hundred who watch requests stops reading: neither the others nor the replica notice, and it is told what it missed. */
export const slowWatcher = defineExperiment({
  number: 17,
  title: 'one stalled and 99 healthy subscribers',
  mustYield: 'process alive, healthy lag p99 < 50 ms, the stalled one is told what it missed',
  isTimed: true,
  sizes: {
    quick: { subscribers: 100, chats: 240, perSecond: 20 },
    full: { subscribers: 100, chats: 5_000, perSecond: 12 },
  },
  async run(context, { subscribers, chats, perSecond }) {
    await using scene = await openScene(context, { replicas: 1, providers: [makeProvider('one')] });
    using crowd = new DisposableStack();
    const news = openNews(scene);
    const open = async (queries: readonly string[]) => {
      const watcher = await openWatcher(replicaAt(scene, 0).url, queries, news);
      return crowd.use(watcher);
    };
    const stalled = await open(STALLED_WATCHES);
    const healthy = await Promise.all(Array.from({ length: subscribers - 1 }, () => open([WATCH])));
    const everybody = [stalled, ...healthy];
    context.progress('everybody hears the first chats');
    await openLoad({ ...WARM_UP, send: (sequence) => news.make(`warm-${sequence}`) });
    await news.make('last');
    await until(CATCH_UP_MS_MAX, async () =>
      everybody.every(({ heard }) => heard.every(({ last }) => last?.startsWith('last.'))),
    );
    for (const watcher of everybody) watcher.heard = watcher.heard.map(nothingYet);

    context.progress('one stops reading');
    stalled.subscriber.stall();
    const forMs = (chats * 1_000) / perSecond;
    await openLoad({ perSecond, forMs, send: (sequence) => news.make(`chat-${sequence}`) });
    const all = scene.log.exchanges.filter(({ wish }) => wish.tag.startsWith('chat-')).length * EVENTS_A_CHAT;
    const hasAll = ({ heard }: Watcher) => heard.every(({ events, dropped }) => events + dropped === all);
    await until(CATCH_UP_MS_MAX, async () => healthy.every(hasAll));
    context.progress('it reads again');
    stalled.subscriber.resume();
    await until(CATCH_UP_MS_MAX, async () => hasAll(stalled));
    return judge({
      everybody,
      stalled,
      all,
      broken: scene.log.exchanges.filter(({ reply }) => reply.kind !== 'answered').length,
      isLagJudged: context.tier === 'full',
      peakMb: await peakMbOf(replicaAt(scene, 0).pid),
    });
  },
});

/** What one subscription was told since the counting began. */
interface Heard {
  events: number;
  dropped: number;
  /** Of the chat that it heard the end of last. */
  last: string | null;
  /** From the moment before which an event cannot have happened until it was heard of, in milliseconds. */
  readonly lagsMs: number[];
}

interface Watcher extends Disposable {
  readonly subscriber: Subscriber;
  /** By its subscriptions. */
  heard: readonly Heard[];
}

interface Told {
  readonly requestEvents: {
    readonly kind: string;
    readonly dropped: number;
    readonly request: { readonly userId: string };
  };
}

function nothingYet(): Heard {
  return { events: 0, dropped: 0, last: null, lagsMs: [] };
}

/** Makes events, and knows how long ago each can have happened at most. */
interface News {
  make(name: string): Promise<null>;
  lagMsOf(event: Told['requestEvents']): number;
}

/** A chat begins after it was sent, and ends after its provider was asked, who answers at once. So nothing the service does is left out. */
function openNews(scene: Scene): News {
  const sentAtMs = new Map<string, number>();
  const askedAtMs = new Map<string, number>();
  scene.upstream.reactWith(({ tag }) => {
    askedAtMs.set(tag, performance.now());
    return { kind: 'answer' };
  });
  return {
    async make(name) {
      const tag = name.padEnd(NAME_CHARS, '.');
      sentAtMs.set(tag, performance.now());
      await scene.chat(replicaAt(scene, 0).url, { tag, userId: tag, maxOutputTokens: OUTPUT_TOKENS });
      return null;
    },
    lagMsOf({ kind, request }) {
      const sinceMs = (kind === 'STARTED' ? sentAtMs : askedAtMs).get(request.userId) ?? Number.NaN;
      return performance.now() - sinceMs;
    },
  };
}

async function openWatcher(url: string, queries: readonly string[], news: News): Promise<Watcher> {
  const hear = (place: number, { requestEvents: event }: Told) => {
    const heard = watcher.heard[place];
    if (heard === undefined) throw new RangeError(`nobody asked for subscription ${place}`);
    heard.events += 1;
    heard.dropped += event.dropped;
    heard.lagsMs.push(news.lagMsOf(event));
    if (event.kind !== 'STARTED') heard.last = event.request.userId;
  };
  const subscriptions = queries.map((query, place) => ({ query, next: (told: Told) => hear(place, told) }));
  const watcher = { heard: queries.map(nothingYet) };
  const subscriber = await openSubscriber(url, subscriptions);
  return Object.assign(watcher, { subscriber, [Symbol.dispose]: () => subscriber.vanish() });
}

function judge(seen: {
  readonly everybody: readonly Watcher[];
  readonly stalled: Watcher;
  readonly all: number;
  readonly broken: number;
  readonly isLagJudged: boolean;
  readonly peakMb: number;
}) {
  const { everybody, stalled, all, broken, peakMb } = seen;
  const healthy = everybody.filter((watcher) => watcher !== stalled);
  const lagsMs = healthy.flatMap(({ heard }) => heard.flatMap((one) => one.lagsMs));
  const [p50Ms, p99Ms, worstMs] = [quantile(lagsMs, 0.5), quantile(lagsMs, 0.99), quantile(lagsMs, 1)];
  const lost = everybody.find(({ subscriber }) => subscriber.broken !== null);
  const incomplete = healthy.filter(({ heard }) => heard.some((one) => one.events !== all || one.dropped !== 0));
  const [events, dropped] = [sumOf(stalled, 'events'), sumOf(stalled, 'dropped')];
  const unsure = stalled.heard.filter((one) => one.events + one.dropped !== all);
  const faults = makeFaults();
  faults.expect(broken === 0, `${broken} chats were not answered`);
  faults.expect(lost === undefined, `a connection ended: ${lost?.subscriber.broken}`);
  faults.expect(incomplete.length === 0, `${incomplete.length} who read at once were not told everything`);
  faults.expect(dropped > 0, 'the one that stopped reading missed nothing, so nothing was shown');
  faults.expect(
    unsure.length === 0,
    `the one that stopped reading was told ${unsure[0]?.events} events and that it missed ${unsure[0]?.dropped}, but there were ${all}`,
  );
  faults.expect(!seen.isLagJudged || p99Ms < LAG_MS_MAX, `the lag is ${p99Ms.toFixed(0)} ms (p99)`);
  const deliveries = lagsMs.length + events + dropped;
  return {
    figure: `${deliveries} deliveries: healthy lag ${p50Ms.toFixed(0)} ms (p50), ${p99Ms.toFixed(0)} ms (p99), ${worstMs.toFixed(0)} ms (worst); the stalled one got ${events} events and was told of ${dropped} that it missed, ${all} on each of ${stalled.heard.length} subscriptions; the replica took ${peakMb} MB at most`,
    figures: { deliveries, p50Ms, p99Ms, worstMs, events, dropped, all, peakMb },
    faults: faults.list,
  };
}

function sumOf({ heard }: Watcher, what: 'events' | 'dropped'): number {
  return heard.reduce((sum, one) => sum + one[what], 0);
}

/** The most memory that a process has had, as Linux tells it. */
async function peakMbOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_024);
}
