import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { handleProtocols } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { ApiKeyId, RequestId } from '../core/ids.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { PersistedDocuments } from '../graphql/persisted-documents.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Traces } from '../ports/traces.ts';
import { pathOf } from './answer.ts';
import { type Doorkeeper, keyIdOf } from './authenticate.ts';
import type { Hosts } from './hosts.ts';
import type { InFlight } from './in-flight.ts';
import type { LoadGate } from './load-gate.ts';
import type { Origins } from './origins.ts';
import { CLOSES, closeSocket, hangUp, startHeart, watchUnproven } from './socket-life.ts';
import { makeSocketPace } from './socket-pace.ts';
import { makeSocketPlaces, type SocketPlaces } from './socket-places.ts';
import { makeSocketServer, type Peer } from './websocket-operations.ts';
import { GRAPHQL_PATH, type GraphqlServer } from './yoga.ts';

const LIMITS = { messageBytesMax: 262_144, socketsMax: 5_000 } as const;

/** GraphQL over WebSocket: subscriptions, and everything else as well. */
export interface SocketDoor {
  /** Takes over a connection that asks for WebSocket. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Closes every connection as soon as only subscriptions are left on it. */
  drain(): void;
  /** Closes the connections of a key that works no more, and stops what runs on them. */
  cutOff(key: ApiKeyId): void;
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
  readonly doorkeeper: Doorkeeper;
  readonly origins: Origins;
  readonly hosts: Hosts;
  /** Connections that one line of keys may hold. */
  readonly socketsPerKey: number;
  readonly persisted: () => PersistedDocuments;
  readonly traces: Traces;
}

export function makeSocketDoor(deps: SocketDeps): SocketDoor {
  const { clock, doorkeeper } = deps;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: LIMITS.messageBytesMax,
    // A small frame must not become a large one here.
    perMessageDeflate: false,
    handleProtocols,
  });
  const peers = new Map<Peer, WebSocket>();
  const places = makeSocketPlaces<WebSocket>(deps.socketsPerKey);
  let isDraining = false;
  const closeIfDone = (peer: Peer) => {
    const isBusy = peer.runs
      .values()
      .some((run) => run.operation.note.isPaid || run.operation.note.kind !== 'subscription');
    if (!isBusy) closeSocket(peers.get(peer), CLOSES.goingAway);
  };
  const welcome = makeWelcome(doorkeeper, peers, places);
  const server = makeSocketServer({ ...deps, isDraining: () => isDraining, welcome });

  const open = (socket: WebSocket, bytes: Duplex, authorization: string | undefined) => {
    const peer: Peer = { runs: new Set(), authorization, caller: null };
    peers.set(peer, socket);
    if (!doorkeeper.isOpen) takeUnproven({ peer, socket, bytes, places, clock });
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
      places.leave(socket);
      for (const run of peer.runs) run.stop.abort();
      closed(code, String(reason)).catch((error) =>
        deps.log.error('a WebSocket could not be closed', { error: String(error) }),
      );
    });
  };

  return {
    upgrade(request, socket, head) {
      const refusal = refusalOf(request, { ...deps, isDraining, count: peers.size });
      if (refusal !== null) return refuse(socket, refusal);
      sockets.handleUpgrade(request, socket, head, (opened) => open(opened, socket, request.headers.authorization));
    },
    drain() {
      isDraining = true;
      for (const peer of peers.keys()) closeIfDone(peer);
    },
    cutOff(key) {
      for (const [peer, socket] of peers) {
        if (peer.caller === null || keyIdOf(peer.caller) !== key) continue;
        for (const run of peer.runs) run.stop.abort();
        void hangUp(socket, clock, CLOSES.keyEnded);
      }
    },
    abortAll() {
      for (const peer of peers.keys()) for (const run of peer.runs) run.stop.abort();
    },
    async close() {
      await Promise.all(Array.from(peers.values(), (socket) => hangUp(socket, clock, CLOSES.goingAway)));
      sockets.close();
    },
  };
}

/** Of somebody who has not shown yet who it is, little is taken, and not for long when others come. */
function takeUnproven(of: {
  readonly peer: Peer;
  readonly socket: WebSocket;
  readonly bytes: Duplex;
  readonly places: SocketPlaces<WebSocket>;
  readonly clock: Clock;
}): void {
  const { peer, socket, bytes, places, clock } = of;
  const crowdedOut = places.enter(socket);
  if (crowdedOut !== null) void hangUp(crowdedOut, clock, CLOSES.tryLater);
  watchUnproven({ bytes, isProven: () => peer.caller !== null, act: () => hangUp(socket, clock, CLOSES.tooMuch) });
}

/** Finds out who connects, and whether there is a place for them. Who is not let in is told so. */
function makeWelcome(doorkeeper: Doorkeeper, peers: ReadonlyMap<Peer, WebSocket>, places: SocketPlaces<WebSocket>) {
  return async (peer: Peer, authorization: string | undefined): Promise<boolean> => {
    const admission = await doorkeeper.admit(authorization ?? peer.authorization);
    const socket = peers.get(peer);
    // It left, or had to make room, while it was found out who it is.
    if (socket === undefined || socket.readyState !== socket.OPEN) return false;
    if (admission.kind === 'refused') {
      closeSocket(socket, admission.fault.status === 401 ? CLOSES.unauthorized : CLOSES.tryLater);
      return false;
    }
    if (!places.prove(socket, admission.caller)) {
      closeSocket(socket, CLOSES.tooMany);
      return false;
    }
    peer.caller = admission.caller;
    return true;
  };
}

/** What graphql-ws needs of a socket. */
function edgeOf(socket: WebSocket, log: Log, deal: (work: () => Promise<void>) => Promise<void>) {
  const pace = makeSocketPace(socket);
  return {
    protocol: socket.protocol,
    // Resolves when the message has left, so that a slow client slows down only its own stream.
    send: (text: string) =>
      new Promise<void>((resolve) => {
        if (socket.readyState !== socket.OPEN) return resolve();
        socket.send(text, () => {
          pace.look();
          resolve();
        });
        pace.look();
      }),
    close: (code?: number, reason?: string) => socket.close(code, reason),
    onMessage: (take: (text: string) => Promise<void>) => {
      socket.on('message', (data) => {
        // What comes from somebody who was told goodbye is not read any more.
        if (socket.readyState !== socket.OPEN) return;
        pace
          .run(() => deal(() => take(String(data))))
          .catch((error) => {
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

/** Null: the connection is taken. */
function refusalOf(
  request: IncomingMessage,
  state: { readonly isDraining: boolean; readonly count: number } & Pick<SocketDeps, 'origins' | 'hosts'>,
): string | null {
  if (state.hosts.faultOf(request) !== null) return '421 Misdirected Request';
  if (pathOf(request) !== GRAPHQL_PATH) return '404 Not Found';
  // A browser lets every page open sockets to every address: pages of other origins must not spend anybody's money here.
  if (!state.origins.mayCall(request)) return '403 Forbidden';
  return state.isDraining || state.count >= LIMITS.socketsMax ? '503 Service Unavailable' : null;
}

function refuse(socket: Duplex, status: string): void {
  // Whoever hangs up first is not worth a word, let alone the process.
  socket.on('error', () => {});
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}
