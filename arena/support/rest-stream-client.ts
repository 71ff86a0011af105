import type { Wish } from './client.ts';
import { makeStreamAgent, NOTHING_READ, readStream, type StreamEnd, type StreamReader } from './stream-reader.ts';
import { taggedPrompt } from './upstream/reaction.ts';

/** Reads the chunks of `POST /v1/chat/completions`. */
export function makeRestStreamClient(): StreamReader {
  const agent = makeStreamAgent();
  const open = (url: string, wish: Wish, signal: AbortSignal) =>
    agent.request({
      origin: url,
      path: '/v1/chat/completions',
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(bodyOf(wish)),
      signal,
    });
  return {
    read: (url, wish, { hangUpAfter = Number.POSITIVE_INFINITY } = {}) =>
      readStream({ ask: (signal) => open(url, wish, signal), start: NOTHING_READ, hangUpAfter, withEvent, codeOf }),
    [Symbol.asyncDispose]: () => agent.destroy(),
  };
}

function bodyOf(wish: Wish): object {
  return {
    model: 'auto',
    stream: true,
    messages: [{ role: 'user', content: taggedPrompt(wish.tag) }],
    max_completion_tokens: wish.maxOutputTokens,
    ...(wish.userId === null ? {} : { user: wish.userId }),
    ...(wish.only === undefined ? {} : { provider: { only: wish.only } }),
  };
}

function withEvent(end: StreamEnd, data: string): StreamEnd {
  const next = { ...end, last: (end.last ?? -1) + 1 };
  // It ends a stream that failed as well.
  if (data === '[DONE]') return next.kind === 'broken' ? { ...next, kind: 'completed' } : next;
  const chunk = JSON.parse(data);
  if (chunk.error !== undefined) return { ...next, kind: 'failed', why: codeOf(chunk) };
  return { ...next, text: next.text + (chunk.choices[0]?.delta.content ?? '') };
}

// biome-ignore lint/suspicious/noExplicitAny: an answer as it came, of which only what is looked at matters.
function codeOf(body: any): string {
  return String(body?.error?.code ?? JSON.stringify(body).slice(0, 200));
}
