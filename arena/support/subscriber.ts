import { once } from 'node:events';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';

/** One connection that watches over `graphql-transport-ws`, and can stop reading. */
export interface Subscriber extends Disposable {
  /** Why it ended by itself. Null: it did not. */
  readonly broken: string | null;
  /** Reads nothing from now on. It goes on to say that it is alive: a connection that is slow, not one that is dead. */
  stall(): void;
  resume(): void;
  /** Ends its subscriptions, and then the connection, as clients do. */
  leave(): Promise<void>;
  /** Is gone without a word. */
  vanish(): void;
}

/** What it wants, and what it does with each event. */
export interface Subscription {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  // biome-ignore lint/suspicious/noExplicitAny: an answer as it came, of which only what is looked at matters.
  readonly next: (data: any) => void;
}

const ANSWER_MS_MAX = 10_000;
/** More often than the service asks whether it is there. */
const ALIVE_EVERY_MS = 5_000;

/** Connects, and subscribes to all of `subscriptions`. Resolves when they have been asked for. */
export async function openSubscriber(url: string, subscriptions: readonly Subscription[]): Promise<Subscriber> {
  const opened = Promise.withResolvers<WebSocket>();
  let broken: string | null = null;
  let hasLeft = false;
  const end = (why: unknown) => {
    if (!hasLeft) broken ??= String(why);
    opened.reject(new Error(`a subscriber could not connect: ${broken}`));
  };
  const client = createClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    connectionAckWaitTimeout: ANSWER_MS_MAX,
    on: {
      connected: (socket) => {
        if (socket instanceof WebSocket) opened.resolve(socket);
      },
    },
  });
  const stops = subscriptions.map(({ query, variables, next }) =>
    client.subscribe(
      { query, ...(variables === undefined ? {} : { variables }) },
      {
        next: ({ data, errors }) => (errors === undefined ? next(data) : end(JSON.stringify(errors))),
        error: (error) => end(describe(error)),
        complete: () => end('completed by the service'),
      },
    ),
  );
  const socket = await opened.promise;
  let alive: NodeJS.Timeout | undefined;
  const resume = () => {
    clearInterval(alive);
    socket.resume();
  };
  const vanish = () => {
    hasLeft = true;
    clearInterval(alive);
    socket.terminate();
  };
  return {
    get broken() {
      return broken;
    },
    stall() {
      socket.pause();
      alive = setInterval(() => socket.pong(), ALIVE_EVERY_MS);
    },
    resume,
    async leave() {
      hasLeft = true;
      resume();
      for (const stop of stops) stop();
      await client.dispose();
      if (socket.readyState !== WebSocket.CLOSED) await once(socket, 'close');
    },
    vanish,
    [Symbol.dispose]: vanish,
  };
}

/** Refusals come as a list, and the end of a connection as its code. */
function describe(error: unknown): string {
  if (error instanceof Error) return error.message;
  if (typeof error === 'object' && error !== null && 'code' in error) return `closed with ${error.code}`;
  return JSON.stringify(error);
}
