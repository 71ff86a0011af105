import { Agent } from 'undici';
import { parseUsd } from '../../src/core/money.ts';
import type { Wish } from './client.ts';
import { taggedPrompt } from './upstream/reaction.ts';

/** What a reader of one stream saw, over however many connections. */
export interface StreamEnd {
  /** `broken`: the connection ended before the stream did. `hungUp`: the reader left. */
  readonly kind: 'completed' | 'failed' | 'refused' | 'broken' | 'hungUp';
  /** The code of a failure or a refusal, or what broke. Null otherwise. */
  readonly why: string | null;
  readonly text: string;
  /** The place of the last event. Null: none came. */
  readonly last: number | null;
  /** In pico-dollars. Null: the stream did not say. */
  readonly cost: bigint | null;
}

export interface StreamClient extends AsyncDisposable {
  /** Reads a stream to its end, or until so many events have come (0: as soon as it is sent), going on after `from`. */
  read(url: string, wish: Wish, how?: { readonly hangUpAfter?: number; readonly from?: StreamEnd }): Promise<StreamEnd>;
}

const STREAM = `subscription Arena($input: ChatInput!, $after: Int) { chatStream(input: $input, resumeAfter: $after) {
  __typename
  ... on ChatStarted { sequence }
  ... on ChatDelta { sequence content }
  ... on ChatRerouted { sequence }
  ... on ChatCompleted { sequence result { cost { totalUsd } } }
  ... on ChatFailed { sequence costUsd error { code } }
} }`;

const CONNECTIONS_MAX = 300;
const SILENCE_MS_MAX = 60_000;

/** Reads `chatStream` as server-sent events. */
export function makeStreamClient(): StreamClient {
  const agent = new Agent({ connections: CONNECTIONS_MAX, pipelining: 1, bodyTimeout: SILENCE_MS_MAX });
  const open = (url: string, wish: Wish, after: number | null, signal: AbortSignal) =>
    agent.request({
      origin: url,
      path: '/graphql',
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: STREAM, variables: { input: inputOf(wish), after } }),
      signal,
    });
  return {
    async read(url, wish, { hangUpAfter = Number.POSITIVE_INFINITY, from } = {}) {
      const leave = new AbortController();
      let end: StreamEnd = { kind: 'broken', why: null, text: from?.text ?? '', last: from?.last ?? null, cost: null };
      let count = 0;
      try {
        const asked = open(url, wish, end.last, leave.signal);
        if (hangUpAfter === 0) leave.abort();
        const { body, statusCode } = await asked;
        if (statusCode !== 200) return { ...end, kind: 'refused', why: codeOf(await body.json()) };
        for await (const event of eventsOf(body)) {
          end = withEvent(end, event);
          count += 1;
          if (count >= hangUpAfter && end.kind === 'broken') leave.abort();
        }
        return end;
      } catch (error) {
        return leave.signal.aborted ? { ...end, kind: 'hungUp' } : { ...end, why: String(error) };
      } finally {
        leave.abort();
      }
    },
    [Symbol.asyncDispose]: () => agent.destroy(),
  };
}

function inputOf(wish: Wish): object {
  return {
    prompt: taggedPrompt(wish.tag),
    maxOutputTokens: wish.maxOutputTokens,
    ...(wish.userId === null ? {} : { userId: wish.userId }),
    ...(wish.idempotencyKey === undefined ? {} : { idempotencyKey: wish.idempotencyKey }),
    ...(wish.only === undefined ? {} : { routing: { only: wish.only } }),
  };
}

/** The data of each event named `next`. */
async function* eventsOf(body: AsyncIterable<Buffer>): AsyncGenerator<Record<string, unknown>> {
  let text = '';
  for await (const chunk of body) {
    text += chunk.toString();
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      const data = /^data: (.+)$/m.exec(text.slice(0, end))?.[1];
      text = text.slice(end + 2);
      if (data !== undefined) yield JSON.parse(data);
    }
  }
}

// biome-ignore lint/suspicious/noExplicitAny: an answer as it came, of which only what is looked at matters.
function withEvent(end: StreamEnd, event: any): StreamEnd {
  const told = event.data?.chatStream ?? null;
  if (told === null) return { ...end, kind: 'refused', why: codeOf(event) };
  const next = { ...end, last: Number(told.sequence) };
  switch (told.__typename) {
    case 'ChatDelta':
      return { ...next, text: next.text + (told.content ?? '') };
    case 'ChatCompleted':
      return { ...next, kind: 'completed', cost: parseUsd(told.result.cost.totalUsd) };
    case 'ChatFailed':
      return { ...next, kind: 'failed', why: told.error.code, cost: parseUsd(told.costUsd) };
    default:
      return next;
  }
}

// biome-ignore lint/suspicious/noExplicitAny: as above.
function codeOf(body: any): string {
  return String(body?.errors?.[0]?.extensions?.code ?? JSON.stringify(body).slice(0, 200));
}
