import { Agent, type Dispatcher } from 'undici';
import type { Wish } from './client.ts';
import { tokensIn } from './upstream/streaming.ts';

/** What a reader of one stream saw, over however many connections. */
export interface StreamEnd {
  /** `broken`: the connection ended before the stream did. `hungUp`: the reader left. */
  readonly kind: 'completed' | 'failed' | 'refused' | 'broken' | 'hungUp';
  /** The code of a failure or a refusal, or what broke. Null otherwise. */
  readonly why: string | null;
  readonly text: string;
  /** The place of the last event. Null: none came. */
  readonly last: number | null;
}

export const NOTHING_READ: StreamEnd = { kind: 'broken', why: null, text: '', last: null };

/** Reads streams through one door. */
export interface StreamReader extends AsyncDisposable {
  /** Reads a stream to its end, or until so many of its upstream's tokens have come (0: as soon as it is sent). */
  read(url: string, wish: Wish, how?: { readonly hangUpAfter?: number }): Promise<StreamEnd>;
}

const CONNECTIONS_MAX = 300;
const SILENCE_MS_MAX = 60_000;

export function makeStreamAgent(): Agent {
  return new Agent({ connections: CONNECTIONS_MAX, pipelining: 1, bodyTimeout: SILENCE_MS_MAX });
}

/** Reads server-sent events as they come, and never throws for what a service may answer. */
export async function readStream(of: {
  readonly ask: (signal: AbortSignal) => Promise<Dispatcher.ResponseData>;
  readonly start: StreamEnd;
  readonly hangUpAfter: number;
  /** What has been read when this event has come, too. */
  readonly withEvent: (end: StreamEnd, data: string) => StreamEnd;
  readonly codeOf: (body: unknown) => string;
}): Promise<StreamEnd> {
  const leave = new AbortController();
  let end = of.start;
  try {
    const asked = of.ask(leave.signal);
    if (of.hangUpAfter === 0) leave.abort();
    const { body, statusCode } = await asked;
    if (statusCode !== 200) return { ...end, kind: 'refused', why: of.codeOf(await body.json()) };
    for await (const data of eventsOf(body)) {
      end = of.withEvent(end, data);
      if (tokensIn(end.text) >= of.hangUpAfter && end.kind === 'broken') return { ...end, kind: 'hungUp' };
    }
    return end;
  } catch (error) {
    return leave.signal.aborted ? { ...end, kind: 'hungUp' } : { ...end, why: String(error) };
  } finally {
    leave.abort();
  }
}

/** The data of each event that has any. */
async function* eventsOf(body: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let text = '';
  for await (const chunk of body) {
    text += chunk.toString();
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      const data = /^data: (.+)$/m.exec(text.slice(0, end))?.[1];
      text = text.slice(end + 2);
      if (data !== undefined) yield data;
    }
  }
}
