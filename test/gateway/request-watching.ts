import { NO_FILTER, type RequestFilter } from '../../src/core/analytics.ts';
import { OPEN_CALLER } from '../../src/gateway/caller.ts';
import type { Gateway, RequestNotice } from '../../src/gateway/gateway.ts';

/** What somebody who watches requests has been told so far. */
export interface Watching {
  readonly notices: readonly RequestNotice[];
  readonly leave: () => void;
  /** Resolves when nothing more will be told. */
  readonly over: Promise<void>;
}

/** Watches requests, reading everything as soon as it comes. */
export function watchRequests(gateway: Gateway, filter: Partial<RequestFilter> = {}): Watching {
  const { reading, leave } = openWatch(gateway, filter);
  const notices: RequestNotice[] = [];
  const read = async () => {
    for await (const notice of reading) notices.push(notice);
  };
  return { notices, leave, over: read() };
}

/** Watches requests, and leaves it to the test when to read. */
export function openWatch(gateway: Gateway, filter: Partial<RequestFilter> = {}) {
  const stop = new AbortController();
  const answer = gateway.watchRequests({
    filter: () => ({ ...NO_FILTER, ...filter }),
    caller: OPEN_CALLER,
    signal: stop.signal,
  });
  if (answer.kind !== 'watching') throw new RangeError(answer.message);
  return { reading: answer.notices, leave: () => stop.abort() };
}

/** Such as `started a`: what happened, and which provider the request was at. */
export function storyOf(notices: readonly RequestNotice[]): readonly string[] {
  return notices.map(({ event }) => `${event.kind} ${event.request.provider ?? 'nowhere'}`);
}
