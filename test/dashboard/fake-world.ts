import type { PageDocument } from '../../dashboard/documents.generated.ts';
import type { Link, LinkEvents, Sent, Taker } from '../../dashboard/live/link.ts';
import type { World } from '../../dashboard/live/world.ts';
import type { Fault } from '../../dashboard/model/room-state.ts';
import { START_MS } from './wire.ts';

/** One operation that the page runs. */
export interface Run {
  readonly name: string;
  readonly variables: Sent;
  readonly isStopped: () => boolean;
  readonly data: (data: unknown) => void;
  readonly failed: (fault: Fault) => void;
  readonly ended: () => void;
  readonly lost: () => void;
}

export interface FakeLink {
  readonly authorization: string | null;
  readonly events: LinkEvents;
  readonly runs: readonly Run[];
  readonly isClosed: () => boolean;
  /** The newest run of that name that still goes on. */
  readonly run: (name: string) => Run;
}

/** A browser whose clock, frames and connections a test holds in its hands. */
export interface FakeWorld extends World {
  readonly links: readonly FakeLink[];
  readonly kept: () => string | null;
  isSeen: boolean;
  /** Lets time pass. */
  pass(ms: number): void;
  /** Draws a frame. Answers how many acts waited for it. */
  draw(): number;
}

export function makeFakeWorld(kept: string | null = null): FakeWorld {
  let nowMs = START_MS;
  let memory = kept;
  let names = 0;
  let timers: { readonly atMs: number; readonly act: () => void }[] = [];
  let frame: (() => void)[] = [];
  const links: FakeLink[] = [];
  const world: FakeWorld = {
    links,
    kept: () => memory,
    isSeen: true,
    openLink(authorization, events) {
      const link = makeFakeLink(authorization, events);
      links.push(link.fake);
      return link.link;
    },
    now: () => nowMs,
    after(ms, act) {
      const timer = { atMs: nowMs + ms, act };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    beforeFrame: (act) => void frame.push(act),
    chance: () => 0.5,
    newName() {
      names += 1;
      return `name-${names}`;
    },
    isInView: () => world.isSeen,
    tabMemory: {
      read: () => memory,
      keep(text) {
        memory = text;
      },
      clear() {
        memory = null;
      },
    },
    pass(ms) {
      const endMs = nowMs + ms;
      for (;;) {
        const [due] = timers.filter(({ atMs }) => atMs <= endMs).sort((one, other) => one.atMs - other.atMs);
        if (due === undefined) break;
        timers = timers.filter((timer) => timer !== due);
        nowMs = Math.max(nowMs, due.atMs);
        due.act();
      }
      nowMs = endMs;
    },
    draw() {
      const acts = frame;
      frame = [];
      for (const act of acts) act();
      return acts.length;
    },
  };
  return world;
}

function makeFakeLink(authorization: string | null, events: LinkEvents): { link: Link; fake: FakeLink } {
  const runs: Run[] = [];
  let isClosed = false;
  const link: Link = {
    run<Data, Variables extends Sent>(
      document: PageDocument<Data, Variables>,
      variables: Variables,
      taker: Taker<Data>,
    ) {
      let isStopped = false;
      runs.push({
        name: document.name,
        variables,
        isStopped: () => isStopped,
        data: (data) => taker.data(data as Data),
        failed: taker.failed,
        ended: taker.ended,
        lost: () => taker.lost?.(),
      });
      return () => {
        isStopped = true;
      };
    },
    close() {
      isClosed = true;
    },
  };
  const fake: FakeLink = {
    authorization,
    events,
    runs,
    isClosed: () => isClosed,
    run(name) {
      const found = runs.findLast((run) => run.name === name && !run.isStopped());
      if (found === undefined) throw new RangeError(`${name} was not asked for`);
      return found;
    },
  };
  return { link, fake };
}
