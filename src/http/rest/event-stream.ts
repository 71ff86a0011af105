import type { ServerResponse } from 'node:http';
import { type Silence, watchSilence } from '../../gateway/silence.ts';
import type { Clock } from '../../ports/clock.ts';
import { whenDrained } from '../outgoing.ts';
import type { Headers } from './answer-headers.ts';

/** How long an answer waits for its first piece before it says 200, and how long a stream may be silent. */
export const STREAM_WAITS = { headersMs: 10_000, keepAliveMs: 15_000 } as const;

/** An answer of server-sent events. Disposing stops its timers. */
export interface EventStream extends Disposable {
  /** The headers are out: no other status can be told any more. */
  readonly isOpen: boolean;
  /** Resolves when the connection takes more, or is gone: whoever writes waits for it, and so for the reader. */
  send(data: string): Promise<void>;
}

/**
 * Sends its headers with the first event, so that a failure before it can have a status of its own; but not later than `headersMs`
 * from now. Then comments keep the connection alive whenever nothing else does.
 */
export function makeEventStream(of: {
  readonly response: ServerResponse;
  readonly clock: Clock;
  /** What is known when the headers go out. */
  readonly headersOf: () => Headers;
}): EventStream {
  const { response, clock } = of;
  const open = () => {
    if (response.headersSent) return;
    for (const [name, value] of Object.entries(of.headersOf())) response.setHeader(name, value);
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // Proxies that gather what they pass on would gather the pieces.
      'x-accel-buffering': 'no',
    });
  };
  let silence: Silence | null = null;
  const keepAlive = () => {
    open();
    if (!response.writableNeedDrain && !response.closed) response.write(': keep-alive\n\n');
    silence ??= watchSilence({ clock, ms: STREAM_WAITS.keepAliveMs, act: keepAlive });
  };
  const patience = clock.after(STREAM_WAITS.headersMs, keepAlive);
  return {
    get isOpen() {
      return response.headersSent;
    },
    async send(data) {
      // Nobody is there any more: to write would be an error.
      if (response.closed) return;
      patience[Symbol.dispose]();
      open();
      silence ??= watchSilence({ clock, ms: STREAM_WAITS.keepAliveMs, act: keepAlive });
      silence.heard();
      if (response.write(`data: ${data}\n\n`)) return;
      await whenDrained(response, clock);
    },
    [Symbol.dispose]() {
      patience[Symbol.dispose]();
      silence?.[Symbol.dispose]();
    },
  };
}
