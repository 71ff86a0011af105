import { Agent, type Dispatcher } from 'undici';
import { parseUsd } from '../../src/core/money.ts';
import { providerOfModel } from './registry.ts';
import { taggedPrompt } from './upstream/reaction.ts';

/** A chat that a client wants. */
export interface Wish {
  /** Found again in the bill. */
  readonly tag: string;
  /** Whose account pays. Null: the anonymous one, which has no cap. */
  readonly userId: string | null;
  readonly maxOutputTokens: number;
  readonly timeoutMs?: number;
  readonly idempotencyKey?: string;
  /** Providers that may answer. Default: all. */
  readonly only?: readonly string[];
}

/** How a chat ended, as far as the client can tell. */
export type Reply =
  | {
      readonly kind: 'answered';
      readonly provider: string;
      /** In pico-dollars. */
      readonly cost: bigint;
      readonly isReplayed: boolean;
      readonly attempts: number;
    }
  /** A member of the result union, or an error at the top level. */
  | {
      readonly kind: 'refused';
      readonly code: string;
      readonly isRetryable: boolean;
      readonly retryAfterMs: number | null;
      readonly attempts: number;
    }
  /** No answer that could be read: the connection broke, or nothing came in time. `isSent` is false when it never connected. */
  | { readonly kind: 'broken'; readonly reason: string; readonly isSent: boolean };

/** One line of the client log. */
export interface Exchange {
  readonly wish: Wish;
  readonly url: string;
  /** As the header told it, without `req_`. Null when no header came. */
  readonly requestId: string | null;
  /** On the arena's monotonic clock, in ms. */
  readonly sentAtMs: number;
  readonly ms: number;
  readonly reply: Reply;
}

export interface Client extends AsyncDisposable {
  chat(url: string, wish: Wish, signal?: AbortSignal): Promise<Exchange>;
  /** Any other document. Throws when there is no data. */
  ask(url: string, query: string, variables?: object): Promise<Record<string, unknown>>;
}

const CONNECTIONS_MAX = 300;
/** Longer than anything waits in the service, so that nobody waits for ever. */
const ANSWER_MS_MAX = 90_000;

const CHAT = `mutation Arena($input: ChatInput!) { chat(input: $input) {
  __typename
  ... on ChatSuccess { modelName cost { totalUsd } routing { attempts { outcome } } REPLAYED }
  ... on ApiError { code retryable retryAfterMs }
  ... on AllProvidersFailedError { routing { attempts { outcome } } }
} }`;

/** Sends chats over GraphQL, and never throws for what a service may answer. */
export function makeClient(): Client {
  const agent = new Agent({
    connections: CONNECTIONS_MAX,
    pipelining: 1,
    headersTimeout: ANSWER_MS_MAX,
    bodyTimeout: ANSWER_MS_MAX,
    connect: { timeout: 5_000 },
  });
  const post = (url: string, body: object, signal?: AbortSignal) =>
    agent.request({
      origin: url,
      path: '/graphql',
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      ...(signal === undefined ? {} : { signal }),
    });
  return {
    async chat(url, wish, signal) {
      const sentAtMs = performance.now();
      const done = (reply: Reply, answer: Dispatcher.ResponseData | null): Exchange => ({
        wish,
        url,
        requestId: requestIdOf(answer),
        sentAtMs,
        ms: performance.now() - sentAtMs,
        reply,
      });
      let answer: Dispatcher.ResponseData | null = null;
      try {
        answer = await post(url, { query: documentOf(wish), variables: { input: inputOf(wish) } }, signal);
        return done(replyOf(await answer.body.text()), answer);
      } catch (error) {
        return done(broken(error), answer);
      }
    },
    async ask(url, query, variables = {}) {
      const answer = await post(url, { query, variables });
      const { data, errors } = JSON.parse(await answer.body.text());
      if (data === null || data === undefined || errors !== undefined) throw new Error(JSON.stringify(errors));
      return data;
    },
    [Symbol.asyncDispose]: () => agent.destroy(),
  };
}

function documentOf(wish: Wish): string {
  return CHAT.replace('REPLAYED', wish.idempotencyKey === undefined ? '' : 'replayed');
}

function inputOf(wish: Wish): object {
  return {
    prompt: taggedPrompt(wish.tag),
    maxOutputTokens: wish.maxOutputTokens,
    ...(wish.userId === null ? {} : { userId: wish.userId }),
    ...(wish.timeoutMs === undefined ? {} : { timeoutMs: wish.timeoutMs }),
    ...(wish.idempotencyKey === undefined ? {} : { idempotencyKey: wish.idempotencyKey }),
    ...(wish.only === undefined ? {} : { routing: { only: wish.only } }),
  };
}

function requestIdOf(answer: Dispatcher.ResponseData | null): string | null {
  const header = answer?.headers['x-request-id'];
  return typeof header === 'string' ? header.replace(/^req_/, '') : null;
}

function replyOf(text: string): Reply {
  const said = JSON.parse(text);
  const chat = said.data?.chat ?? null;
  const attempts = chat?.routing?.attempts?.length ?? 0;
  if (chat === null) {
    const extensions = said.errors?.[0]?.extensions;
    const { code = `UNKNOWN: ${text.slice(0, 200)}`, retryAfterMs = null } = extensions ?? {};
    const isRetryable = extensions?.retryable === true || code === 'SHUTTING_DOWN';
    return { kind: 'refused', code, isRetryable, retryAfterMs, attempts };
  }
  if (chat.__typename !== 'ChatSuccess') {
    return { kind: 'refused', code: chat.code, isRetryable: chat.retryable, retryAfterMs: chat.retryAfterMs, attempts };
  }
  const cost = parseUsd(chat.cost.totalUsd);
  if (cost === null) throw new RangeError(`no amount: ${chat.cost.totalUsd}`);
  const provider = providerOfModel(chat.modelName);
  return { kind: 'answered', provider, cost, isReplayed: chat.replayed === true, attempts };
}

/** A reply in a few words. */
export function describeReply(reply: Reply): string {
  switch (reply.kind) {
    case 'answered':
      return `answered by ${reply.provider} at ${reply.cost}`;
    case 'refused':
      return `${reply.code}${reply.retryAfterMs === null ? '' : `, again in ${reply.retryAfterMs} ms`}`;
    case 'broken':
      return reply.reason;
    default:
      return reply satisfies never;
  }
}

const UNSENT = new Set(['ECONNREFUSED', 'UND_ERR_CONNECT_TIMEOUT']);

function broken(error: unknown): Reply {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return { kind: 'broken', reason: String(error), isSent: !UNSENT.has(code) };
}
