import type { Wish } from './client.ts';
import { makeStreamAgent, NOTHING_READ, readStream, type StreamEnd, type StreamReader } from './stream-reader.ts';
import { taggedPrompt } from './upstream/reaction.ts';

export interface StreamClient extends StreamReader {
  /** The same, going on after `from`. */
  read(url: string, wish: Wish, how?: { readonly hangUpAfter?: number; readonly from?: StreamEnd }): Promise<StreamEnd>;
}

const STREAM = `subscription Arena($input: ChatInput!, $after: Int) { chatStream(input: $input, resumeAfter: $after) {
  __typename
  ... on ChatStarted { sequence }
  ... on ChatDelta { sequence content }
  ... on ChatRerouted { sequence }
  ... on ChatCompleted { sequence }
  ... on ChatFailed { sequence error { code } }
} }`;

/** Reads `chatStream` as server-sent events. */
export function makeStreamClient(): StreamClient {
  const agent = makeStreamAgent();
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
    read(url, wish, { hangUpAfter = Number.POSITIVE_INFINITY, from = NOTHING_READ } = {}) {
      const start = { ...NOTHING_READ, text: from.text, last: from.last };
      return readStream({
        ask: (signal) => open(url, wish, from.last, signal),
        start,
        hangUpAfter,
        withEvent,
        codeOf,
      });
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

function withEvent(end: StreamEnd, data: string): StreamEnd {
  const event = JSON.parse(data);
  const told = event.data?.chatStream ?? null;
  if (told === null) return { ...end, kind: 'refused', why: codeOf(event) };
  const next = { ...end, last: Number(told.sequence) };
  switch (told.__typename) {
    case 'ChatStarted':
      // The telling begins anew.
      return { ...next, text: '' };
    case 'ChatDelta':
      return { ...next, text: next.text + (told.content ?? '') };
    case 'ChatCompleted':
      return { ...next, kind: 'completed' };
    case 'ChatFailed':
      return { ...next, kind: 'failed', why: told.error.code };
    default:
      return next;
  }
}

// biome-ignore lint/suspicious/noExplicitAny: an answer as it came, of which only what is looked at matters.
function codeOf(body: any): string {
  return String(body?.errors?.[0]?.extensions?.code ?? JSON.stringify(body).slice(0, 200));
}
