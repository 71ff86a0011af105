import { decodeList, decodeNumber } from '../core/decode.ts';
import type { ReplicaId } from '../core/ids.ts';
import type { RequestEvent } from '../core/request-event.ts';
import { decodeRequestEvent, formatRequestEvent } from '../core/request-event-text.ts';
import { WIRE_TEXT_BYTES_MAX, wireBytesOf } from '../core/wire.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { WirePort } from '../ports/wire.ts';
import { startPump } from './pump.ts';

/** Of events on their way to other replicas. What is more than the queue, or longer than a message, is not told. */
const LIMITS = { queueMax: 512, messagesMax: 16, sendersMax: 1_000 } as const;

/** Who wants events asks for them again and again, and is told for a while after; events of one moment go together. */
const PACE = { askEveryMs: 2_000, askedMs: 7_000, gatherMs: 100 } as const;

const TOPICS = { ask: 'requests.ask', tell: 'requests.tell' } as const;

/** Events of requests from replica to replica, as long as somebody watches at one that asks for them. */
export interface RequestRelay extends AsyncDisposable {
  /** Somebody watches here: the others are asked. */
  ask(): void;
  /** Whether another replica has asked lately. */
  isAsked(): boolean;
  /** Tells the others what happened here. Nobody waits for it. */
  tell(event: RequestEvent): void;
}

interface RelayNeeds {
  readonly wire: WirePort;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether somebody watches here. */
  readonly isWatched: () => boolean;
  /** `missed` events of that replica were lost before this one. */
  readonly onEvent: (event: RequestEvent, missed: number) => void;
}

export function startRequestRelay(of: RelayNeeds): RequestRelay {
  const { wire, clock } = of;
  const asking = startPump({
    ...of,
    everyMs: PACE.askEveryMs,
    isNeeded: of.isWatched,
    act: async () => wire.publish(TOPICS.ask, ''),
  });
  let askedUntilMs = Number.NEGATIVE_INFINITY;
  const asked = wire.onMessage(TOPICS.ask, () => {
    askedUntilMs = clock.elapsedMs() + PACE.askedMs;
  });
  const teller = makeTeller(wire, clock);
  const told = hearEvents(of);
  return {
    ask: asking.wake,
    isAsked: () => clock.elapsedMs() < askedUntilMs,
    tell: teller.tell,
    async [Symbol.asyncDispose]() {
      for (const part of [asked, told, teller]) part[Symbol.dispose]();
      await asking[Symbol.asyncDispose]();
    },
  };
}

/** Every event has a number, told or not: whoever hears the next one knows how many are missing. */
function makeTeller(wire: WirePort, clock: Clock): Disposable & Pick<RequestRelay, 'tell'> {
  let queue: string[] = [];
  let number = 0;
  let timer: Disposable | null = null;
  const send = () => {
    timer = null;
    for (let messages = 0; messages < LIMITS.messagesMax && queue.length > 0; messages += 1) {
      const count = countThatFits(queue);
      wire.publish(TOPICS.tell, `[${queue.slice(0, count).join(',')}]`);
      queue = queue.slice(count);
    }
    if (queue.length > 0) timer = clock.after(PACE.gatherMs, send);
  };
  return {
    tell(event) {
      number += 1;
      if (queue.length === LIMITS.queueMax) return;
      const text = textOf(number, event) ?? textOf(number, withoutLabels(event));
      if (text === null) return;
      queue.push(text);
      timer ??= clock.after(PACE.gatherMs, send);
    },
    [Symbol.dispose]: () => timer?.[Symbol.dispose](),
  };
}

/** Null when it is longer than a message. */
function textOf(number: number, event: RequestEvent): string | null {
  const text = `[${number},${formatRequestEvent(event)}]`;
  return countThatFits([text]) === 1 ? text : null;
}

/** Labels may be longer than a message by themselves: the event is not lost for them. */
function withoutLabels(event: RequestEvent): RequestEvent {
  return { ...event, request: { ...event.request, metadata: {} } };
}

/** How many of the first texts make one message: a list of them, with a comma or a bracket after each. */
function countThatFits(texts: readonly string[]): number {
  let bytes = 1;
  const tooMany = texts.findIndex((text) => {
    bytes += wireBytesOf(text) + 1;
    return bytes > WIRE_TEXT_BYTES_MAX;
  });
  return tooMany === -1 ? texts.length : tooMany;
}

function hearEvents(of: RelayNeeds): Disposable {
  /** The number of the last event that each replica told, the replica that was heard of first in front. */
  const heard = new Map<ReplicaId, number>();
  return of.wire.onMessage(TOPICS.tell, (text, from) => {
    // Others watch: what is told meanwhile is not missed here.
    if (!of.isWatched()) return heard.clear();
    for (const { number, event } of parseMessage(text)) {
      const missed = number - (heard.get(from) ?? number - 1) - 1;
      heard.set(from, number);
      of.onEvent(event, Math.max(0, missed));
    }
    const [oldest] = heard.keys();
    if (heard.size > LIMITS.sendersMax && oldest !== undefined) heard.delete(oldest);
  });
}

/** Nothing for what a replica of another version says: its next event that we understand tells how many were missed. */
function parseMessage(text: string): readonly { readonly number: number; readonly event: RequestEvent }[] {
  try {
    return decodeList(JSON.parse(text), (value) => {
      const [number, event] = decodeList(value, (part) => part);
      return { number: decodeNumber(number), event: decodeRequestEvent(event) };
    });
  } catch {
    return [];
  }
}
