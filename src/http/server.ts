import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { RequestId } from '../core/ids.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { requestGlobalId } from '../graphql/global-id.ts';
import type { PersistedDocuments } from '../graphql/persisted-documents.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Exposition } from '../ports/meters.ts';
import type { Traces } from '../ports/traces.ts';
import { type DoorkeeperMeters, makeDoorkeeper } from './authenticate.ts';
import { announcesTooMuch } from './body.ts';
import { makeCallers } from './callers.ts';
import { makeGraphiqlPage } from './graphiql.ts';
import { makeGraphqlDoor } from './graphql-door.ts';
import { makeHealthDoor, type Readiness } from './health.ts';
import { makeHosts } from './hosts.ts';
import { type InFlight, makeInFlight } from './in-flight.ts';
import { type LoadMeters, makeLoadGate } from './load-gate.ts';
import { makeMetricsDoor } from './metrics.ts';
import { makeOrigins } from './origins.ts';
import { makePageDoor, type Page } from './page.ts';
import { type RequestMeter, watchRequest } from './request-meter.ts';
import type { RetryMeter } from './rest/client-retry.ts';
import { makeRestDoor } from './rest/rest-door.ts';
import { makeRouter } from './router.ts';
import type { SubscriberMeter } from './subscribers.ts';
import { makeSocketDoor } from './websocket.ts';
import { makeGraphqlServer } from './yoga.ts';

/** How long is waited for callers: a request must arrive whole within `requestMs`, its headers sooner. */
export interface Patience {
  readonly headersMs: number;
  readonly requestMs: number;
  readonly checkEveryMs: number;
}

const PATIENCE: Patience = { headersMs: 10_000, requestMs: 30_000, checkEveryMs: 2_000 };

/** `abortMs` is what stopped work gets to settle. */
const LIMITS = { idleMs: 65_000, headersBytesMax: 16_384, abortMs: 3_000, connectionsMax: 10_000 } as const;

/** Nothing cuts the time short. */
const NEVER = new AbortController().signal;

export interface HttpServerDeps {
  readonly gateway: Gateway;
  readonly log: Log;
  readonly clock: Clock;
  /** A fresh UUIDv7 for each request. */
  readonly newId: () => RequestId;
  readonly readiness: () => Promise<Readiness>;
  readonly metrics: Exposition;
  readonly traces: Traces;
  readonly meters: LoadMeters & DoorkeeperMeters & RetryMeter & SubscriberMeter & RequestMeter;
  /** `off`: everybody may do everything. */
  readonly auth: 'off' | 'keys';
  readonly isGraphiqlOn: boolean;
  /** Origins whose pages may call from browsers, besides the service's own. */
  readonly allowedOrigins: readonly string[];
  /** WebSockets that one line of keys may hold. */
  readonly socketsPerKey: number;
  /** Those that are known now. */
  readonly persisted: () => PersistedDocuments;
  /** Null: it is not built. */
  readonly page: Page | null;
  /** Default: as long as an honest caller on a slow line needs. */
  readonly patience?: Patience;
  /** Operations under way at most. */
  readonly inFlightMax: number;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

/** All HTTP doors of the service on one port. */
export interface HttpServer {
  listen(): Promise<Listening>;
  /** Says that it wants no more, and goes on serving: not ready, and every answer ends its connection. */
  leave(): void;
  /** Refuses what is new, lets what runs finish until `graceMs` have passed or `cut` aborts, then stops it; closes everything. Asked twice, it is done once. */
  drain(graceMs: number, cut?: AbortSignal): Promise<void>;
}

export type Listening =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'portInUse'; readonly message: string }
  | { readonly kind: 'failed'; readonly message: string };

export function makeHttpServer(deps: HttpServerDeps): HttpServer {
  const { log, clock, newId } = deps;
  let phase: 'serving' | 'leaving' | 'draining' = 'serving';
  let drained: Promise<void> | null = null;
  const isLeaving = () => phase !== 'serving';
  const isDraining = () => phase === 'draining';
  const doors = makeDoors(deps, { isLeaving, isDraining });
  const { inFlight, callers, gate, yoga, graphql, sockets } = doors;
  const ends = deps.gateway.onKeyEnded((key) => {
    callers.cutOff(key);
    sockets.cutOff(key);
  });

  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const requestId = newId();
    watchRequest(deps, request, response);
    response.setHeader('x-request-id', requestGlobalId(requestId));
    response.setHeader('x-content-type-options', 'nosniff');
    if (isLeaving()) response.setHeader('connection', 'close');
    doors.route(request, response, requestId).catch((error) => {
      log.error('unexpected error at the HTTP door', {
        requestId: requestGlobalId(requestId),
        error: String(error),
        stack: error instanceof Error ? error.stack : undefined,
      });
      response.destroy();
    });
  };
  const server = makeNodeServer(answer, deps.patience ?? PATIENCE);
  server.on('upgrade', sockets.upgrade);

  const drain = async (graceMs: number, cut: AbortSignal) => {
    sockets.drain();
    graphql.cutStreams();
    server.closeIdleConnections();
    if (!(await isIdleWithin(whenAtRest(inFlight, deps.gateway), { clock, ms: graceMs, cut }))) {
      log.warn('stopping what still runs after the grace time', { count: inFlight.count });
      callers.abortAll();
      sockets.abortAll();
      await isIdleWithin(inFlight.whenIdle(), { clock, ms: LIMITS.abortMs, cut: NEVER });
    }
    ends[Symbol.dispose]();
    gate[Symbol.dispose]();
    await sockets.close();
    await closeServer(server);
    await yoga.dispose();
  };

  return {
    async listen() {
      const listening = await listen(server, deps);
      // Not sooner: a service that could not start must have nothing left to do, so that its process ends.
      if (listening.kind === 'listening') gate.open();
      return listening;
    },
    leave() {
      if (phase === 'serving') phase = 'leaving';
    },
    drain(graceMs, cut = NEVER) {
      phase = 'draining';
      drained ??= Promise.resolve().then(() => drain(graceMs, cut));
      return drained;
    },
  };
}

/** All doors, and what they share. */
function makeDoors(
  deps: HttpServerDeps,
  phase: { readonly isLeaving: () => boolean; readonly isDraining: () => boolean },
) {
  const shared = {
    ...deps,
    ...phase,
    persisted: withPage(deps),
    inFlight: makeInFlight(),
    callers: makeCallers(),
    doorkeeper: makeDoorkeeper(deps),
    origins: makeOrigins(deps.allowedOrigins),
    hosts: makeHosts(deps),
    gate: makeLoadGate({
      ...deps,
      countMax: deps.inFlightMax,
      unattended: () => deps.gateway.unreadStreams().count,
    }),
  };
  const yoga = makeGraphqlServer(shared);
  const graphql = makeGraphqlDoor({ ...shared, yoga });
  const sockets = makeSocketDoor({ ...shared, yoga });
  const route = makeRouter({
    ...shared,
    graphql,
    rest: makeRestDoor(shared),
    health: makeHealthDoor(shared),
    page: makePageDoor(deps.page),
    graphiql: deps.isGraphiqlOn ? makeGraphiqlPage(deps.auth) : null,
    metrics: makeMetricsDoor(shared),
  });
  return { ...shared, yoga, graphql, sockets, route };
}

/** What the page sends is known wherever the page is served. The ids are hashes, so that no file of an operator says otherwise. */
function withPage({ persisted, page }: HttpServerDeps): () => PersistedDocuments {
  if (page === null) return persisted;
  const join = (own: PersistedDocuments) => ({ ...own, texts: new Map([...own.texts, ...page.documents]) });
  let own = persisted();
  let joined = join(own);
  return () => {
    const now = persisted();
    if (now !== own) joined = join(now);
    own = now;
    return joined;
  };
}

/** Resolves when nothing runs any more, whether somebody reads it or not. */
async function whenAtRest(inFlight: InFlight, gateway: Pick<Gateway, 'unreadStreams'>): Promise<void> {
  await inFlight.whenIdle();
  await gateway.unreadStreams().whenEnded();
}

/** Node's server with all its limits. */
function makeNodeServer(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  patience: Patience,
): Server {
  const server = createServer(
    { connectionsCheckingInterval: patience.checkEveryMs, maxHeaderSize: LIMITS.headersBytesMax, noDelay: true },
    answer,
  );
  server.headersTimeout = patience.headersMs;
  server.requestTimeout = patience.requestMs;
  server.keepAliveTimeout = LIMITS.idleMs;
  server.maxConnections = LIMITS.connectionsMax;
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    if (!announcesTooMuch(request)) response.writeContinue();
    answer(request, response);
  });
  return server;
}

function listen(server: Server, of: { readonly host: string; readonly port: number }): Promise<Listening> {
  const where = `${of.host}, port ${of.port}`;
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      resolve(
        error.code === 'EADDRINUSE'
          ? { kind: 'portInUse', message: `Another program listens on ${where}. Stop it, or choose another with PORT.` }
          : { kind: 'failed', message: `Cannot listen on ${where}: ${error.message}. Check HOST and PORT.` },
      );
    });
    server.listen(of.port, of.host, () => {
      const address = server.address();
      resolve({ kind: 'listening', port: typeof address === 'object' && address !== null ? address.port : of.port });
    });
  });
}

/** True when it came to rest before the time was up or cut. */
async function isIdleWithin(
  idle: Promise<void>,
  limit: { readonly clock: Clock; readonly ms: number; readonly cut: AbortSignal },
): Promise<boolean> {
  const { clock, ms, cut } = limit;
  const late = Promise.withResolvers<boolean>();
  const end = () => late.resolve(false);
  if (cut.aborted) end();
  cut.addEventListener('abort', end);
  using _timer = clock.after(ms, end);
  try {
    return await Promise.race([idle.then(() => true), late.promise]);
  } finally {
    cut.removeEventListener('abort', end);
  }
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
