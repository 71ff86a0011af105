import { chunksOf, type OpenService, post, said } from './rest-kit.ts';

/** What a caller of either door is told. */
export interface Told {
  /** The answer; of a stream as far as it came. Null: none. */
  readonly text: string | null;
  /** Null: it was answered. */
  readonly code: string | null;
  readonly isRetryable: boolean | null;
  readonly retryAfterMs: number | null;
}

/** One chat, said in neither door's words. */
export interface Wish {
  readonly isStreamed?: boolean;
  readonly only?: readonly string[];
  readonly maxCostUsd?: string;
  readonly timeoutMs?: number;
  readonly temperature?: number;
  readonly key?: string;
  readonly text?: string;
}

export type Send = (service: OpenService, wish: Wish, signal?: AbortSignal) => Promise<Told>;

const RESULT = `... on ApiError { code message retryable retryAfterMs }`;
const CHAT = `mutation ($input: ChatInput!) { chat(input: $input) { ... on ChatSuccess { content } ${RESULT} } }`;
const STREAM = `subscription ($input: ChatInput!) { chatStream(input: $input) {
  ... on ChatDelta { content } ... on ChatFailed { error { ${RESULT} } } } }`;

export const overGraphql: Send = async ({ url }, wish, signal) => {
  const { text = 'hello', key, only, isStreamed, ...rest } = wish;
  const routing = { sort: 'PRICE', requireParameters: false, ...(only === undefined ? {} : { only }) };
  const input = { messages: [{ role: 'USER', content: text }], userId: 'ann', routing, idempotencyKey: key, ...rest };
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(isStreamed ? { accept: 'text/event-stream' } : {}) },
    body: JSON.stringify({ query: isStreamed ? STREAM : CHAT, variables: { input } }),
    signal: signal ?? null,
  });
  if (isStreamed !== true) {
    const { chat } = JSON.parse(await response.text()).data;
    return toldOf(chat.content ?? null, chat.code === undefined ? null : chat);
  }
  const events = [...(await response.text()).matchAll(/^data: (\{.*)$/gm)].map(([, data = '']) => JSON.parse(data));
  const pieces = events.map(({ data }) => data.chatStream);
  return toldOf(pieces.map(({ content = '' }) => content).join(''), pieces.at(-1).error ?? null);
};

export const overRest: Send = async (service, wish, signal) => {
  const { text = 'hello', key, only, isStreamed = false, temperature, timeoutMs, maxCostUsd } = wish;
  const body = said(text, {
    user: 'ann',
    stream: isStreamed,
    temperature,
    timeout_ms: timeoutMs,
    max_cost_usd: maxCostUsd,
    provider: { sort: 'price', only },
  });
  const options = { ...(key === undefined ? {} : { headers: { 'idempotency-key': key } }), ...(signal && { signal }) };
  const response = await post(service, body, options);
  const answer = await response.text();
  const retry = {
    retryable: response.headers.get('x-should-retry') === 'true',
    retryAfterMs: Number(response.headers.get('retry-after-ms') ?? Number.NaN) || null,
  };
  if (response.headers.get('content-type')?.startsWith('application/json')) {
    const { choices, error } = JSON.parse(answer);
    const failure = error === undefined ? null : { ...retry, code: error.code.toUpperCase() };
    return toldOf(choices?.[0].message.content ?? (isStreamed ? '' : null), failure);
  }
  const chunks = chunksOf(answer);
  const error = chunks.at(-1).error ?? null;
  const content = chunks.map(({ choices }) => choices[0].delta.content ?? '').join('');
  // Once its headers are out, a stream cannot say when to try again.
  return toldOf(content, error === null ? null : { code: error.code.toUpperCase() });
};

function toldOf(
  text: string | null,
  failure: { readonly code: string; readonly retryable?: boolean; readonly retryAfterMs?: number | null } | null,
): Told {
  return {
    text,
    code: failure?.code ?? null,
    isRetryable: failure?.retryable ?? null,
    retryAfterMs: failure?.retryAfterMs ?? null,
  };
}
