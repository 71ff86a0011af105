import { expect } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import type { Reply } from './target.ts';

const PROTOCOL = 'graphql-transport-ws';

export const INIT = JSON.stringify({ type: 'connection_init' });

/** An introduction with a credential. */
export const initBy = (authorization: unknown) =>
  JSON.stringify({ type: 'connection_init', payload: { authorization } });

export const WATCH = 'subscription { breakerEvents(includeCurrent: false) { id } }';

export const subscribe = (query: string, id = '1', more: object = {}) =>
  JSON.stringify({ id, type: 'subscribe', payload: { query, ...more } });

/** One connection, and all that was said on it. */
export interface Socket {
  readonly socket: WebSocket;
  readonly heard: readonly string[];
  /** Resolves when it has heard so many messages. */
  hears(count: number): Promise<void>;
  /** How it was closed, or refused. */
  readonly ended: Promise<Reply>;
}

export function openSocket(
  target: { readonly port: number },
  options: ClientOptions & { readonly protocol?: string; readonly path?: string } = {},
): Socket {
  const { protocol = PROTOCOL, path = '/graphql', ...rest } = options;
  const socket = new WebSocket(`ws://127.0.0.1:${target.port}${path}`, protocol, rest);
  const heard: string[] = [];
  const ended = Promise.withResolvers<Reply>();
  socket.on('error', () => undefined);
  socket.on('message', (data) => void heard.push(String(data)));
  socket.once('unexpected-response', (request, response) => {
    ended.resolve({ status: response.statusCode ?? null, text: '' });
    request.destroy();
  });
  socket.once('close', (code, reason) => ended.resolve({ status: code, text: String(reason) }));
  return {
    socket,
    heard,
    ended: ended.promise,
    hears: (count) => expect.poll(() => heard.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(count),
  };
}

/** A connection of somebody with a key, that was let in, or was told why not. */
export async function connectAs(
  target: { readonly port: number },
  { secret }: { readonly secret: string },
): Promise<Socket> {
  const opened = openSocket(target);
  opened.socket.once('open', () => opened.socket.send(initBy(`Bearer ${secret}`)));
  await Promise.race([opened.hears(1), opened.ended]);
  return opened;
}
