import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { handleProtocols } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { RequestId } from '../core/ids.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { PersistedDocuments } from '../graphql/persisted-documents.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { pathOf } from './answer.ts';
import type { InFlight } from './in-flight.ts';
import type { LoadGate } from './load-gate.ts';
import { makeSocketServer, type Peer } from './websocket-operations.ts';
import { GRAPHQL_PATH, type GraphqlServer } from './yoga.ts';

/** A client that does not answer a ping before the next one is due is gone. */
const LIMITS = { messageBytesMax: 1_000_000, socketsMax: 5_000, pingEveryMs: 15_000, closeMs: 1_000 } as const;

/** RFC 6455: the endpoint goes away. Clients connect again. */
const GOING_AWAY = 1001;

/** GraphQL over WebSocket: subscriptions, and everything else as well. */
export interface SocketDoor {
  /** Takes over a connection that asks for WebSocket. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Closes every connection as soon as only subscriptions are left on it. */
  drain(): void;
  /** Tells everything under way that its caller is gone. */
  abortAll(): void;
  /** Says goodbye, and hangs up on those who do not answer. */
  close(): Promise<void>;
}

export interface SocketDeps {
  readonly gateway: Gateway;
  readonly log: Log;
  readonly clock: Clock;
  readonly newId: () => RequestId;
  readonly yoga: GraphqlServer;
  readonly inFlight: InFlight;
  readonly gate: LoadGate;
  readonly persisted: PersistedDocuments;
}

export function makeSocketDoor(deps: SocketDeps): SocketDoor {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: LIMITS.messageBytesMax, handleProtocols });
  const peers = new Map<Peer, WebSocket>();
  let isDraining = false;
  const closeIfDone = (peer: Peer) => {
    const isBusy = peer.runs
      .values()
      .some((run) => run.operation.note.isPaid || run.operation.note.kind !== 'subscription');
    if (!isBusy) peers.get(peer)?.close(GOING_AWAY, 'Going away');
  };
  const server = makeSocketServer({ ...deps, isDraining: () => isDraining });

  const open = (socket: WebSocket) => {
    const peer: Peer = { runs: new Set() };
    peers.set(peer, socket);
    // A message has been dealt with when its operation has ended and the client was told so: a connection that is closed any
    // sooner makes clients send the operation again.
    const deal = async (work: () => Promise<void>) => {
      await deps.inFlight.run(work);
      if (isDraining) closeIfDone(peer);
    };
    const closed = server.opened(edgeOf(socket, deps.log, deal), peer);
    const heart = startHeart(socket, deps.clock);
    // A message that is too large or no WebSocket frame: ws has closed the connection already.
    socket.on('error', (error) => deps.log.debug('a WebSocket broke', { error: error.message }));
    socket.once('close', (code, reason) => {
      heart[Symbol.dispose]();
      peers.delete(peer);
      for (const run of peer.runs) run.stop.abort();
      closed(code, String(reason)).catch((error) =>
        deps.log.error('a WebSocket could not be closed', { error: String(error) }),
      );
    });
  };

  return {
    upgrade(request, socket, head) {
      const refusal = refusalOf(request, { isDraining, count: peers.size });
      if (refusal !== null) return refuse(socket, refusal);
      sockets.handleUpgrade(request, socket, head, open);
    },
    drain() {
      isDraining = true;
      for (const peer of peers.keys()) closeIfDone(peer);
    },
    abortAll() {
      for (const peer of peers.keys()) for (const run of peer.runs) run.stop.abort();
    },
    async close() {
      await Promise.all([...peers.values()].map((socket) => hangUp(socket, deps.clock)));
      sockets.close();
    },
  };
}

/** What graphql-ws needs of a socket. */
function edgeOf(socket: WebSocket, log: Log, deal: (work: () => Promise<void>) => Promise<void>) {
  return {
    protocol: socket.protocol,
    // Resolves when the message has left, so that a slow client slows down only its own stream.
    send: (text: string) =>
      new Promise<void>((resolve) => {
        if (socket.readyState === socket.OPEN) socket.send(text, () => resolve());
        else resolve();
      }),
    close: (code?: number, reason?: string) => socket.close(code, reason),
    onMessage: (take: (text: string) => Promise<void>) => {
      socket.on('message', (data) => {
        deal(() => take(String(data))).catch((error) => {
          log.error('unexpected error on a WebSocket', {
            error: String(error),
            stack: error instanceof Error ? error.stack : undefined,
          });
          socket.close(4500, 'Internal server error');
        });
      });
    },
  };
}

/** Finds out that a client is gone although its connection was never closed. */
function startHeart(socket: WebSocket, clock: Clock): Disposable {
  let isAlive = true;
  let timer = clock.after(LIMITS.pingEveryMs, beat);
  function beat() {
    if (!isAlive) return socket.terminate();
    isAlive = false;
    socket.ping();
    timer = clock.after(LIMITS.pingEveryMs, beat);
  }
  socket.on('pong', () => {
    isAlive = true;
  });
  return { [Symbol.dispose]: () => timer[Symbol.dispose]() };
}

function hangUp(socket: WebSocket, clock: Clock): Promise<void> {
  const timer = clock.after(LIMITS.closeMs, () => socket.terminate());
  socket.close(GOING_AWAY, 'Going away');
  return new Promise((resolve) => {
    socket.once('close', () => {
      timer[Symbol.dispose]();
      resolve();
    });
  });
}

/** Null: the connection is taken. */
function refusalOf(
  request: IncomingMessage,
  state: { readonly isDraining: boolean; readonly count: number },
): string | null {
  if (pathOf(request) !== GRAPHQL_PATH) return '404 Not Found';
  if (!isSameOrigin(request)) return '403 Forbidden';
  return state.isDraining || state.count >= LIMITS.socketsMax ? '503 Service Unavailable' : null;
}

/** A browser lets every page open sockets to every address: pages of other origins must not spend anybody's money here. */
function isSameOrigin({ headers }: IncomingMessage): boolean {
  const { origin, host } = headers;
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}

function refuse(socket: Duplex, status: string): void {
  // Whoever hangs up first is not worth a word, let alone the process.
  socket.on('error', () => {});
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}
