import { requestId } from '../../src/core/ids.ts';
import type { Readiness } from '../../src/http/health.ts';
import { type HttpServer, type HttpServerDeps, makeHttpServer } from '../../src/http/server.ts';
import type { Meters } from '../../src/ports/meters.ts';
import { makeLog } from '../../src/telemetry/log.ts';
import { makeMeters } from '../../src/telemetry/meters.ts';
import { NO_TRACES } from '../../src/telemetry/no-traces.ts';
import { newUuid, SYSTEM_CLOCK } from '../../src/wiring/system.ts';
import { type FakeGateway, makeFakeGateway } from '../fakes/gateway.ts';

/** A real server on a free port, in front of a gateway that a test holds in its hands. */
export interface Service extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly gateway: FakeGateway;
  readonly meters: Meters;
  readonly server: HttpServer;
  readonly parts: HttpServerDeps;
  readonly log: readonly Record<string, unknown>[];
  readiness: Readiness;
}

export async function startService(
  over: Partial<
    Pick<
      HttpServerDeps,
      'clock' | 'inFlightMax' | 'auth' | 'isGraphiqlOn' | 'allowedOrigins' | 'socketsPerKey' | 'persisted' | 'page'
    >
  > = {},
): Promise<Service> {
  const gateway = makeFakeGateway();
  const log: Record<string, unknown>[] = [];
  const stream = { write: (line: string) => void log.push(JSON.parse(line)) };
  const readiness = { isReady: true, checks: [{ name: 'store', isOk: true, detail: 'memory' }] };
  const meters = makeMeters();
  const parts: HttpServerDeps = {
    gateway,
    log: makeLog({ level: 'debug', stream }),
    // The server's waits are about real sockets.
    clock: SYSTEM_CLOCK,
    newId: () => requestId(newUuid()),
    readiness: async () => service.readiness,
    metrics: meters,
    traces: NO_TRACES,
    meters,
    host: '127.0.0.1',
    port: 0,
    inFlightMax: 1_000,
    auth: 'off',
    isGraphiqlOn: true,
    allowedOrigins: [],
    socketsPerKey: 100,
    persisted: () => ({ texts: new Map(), areOnlyOnes: false }),
    page: null,
    ...over,
  };
  const server = makeHttpServer(parts);
  const listening = await server.listen();
  if (listening.kind !== 'listening') throw new Error(listening.message);
  const { port } = listening;
  const service: Service = {
    url: `http://127.0.0.1:${port}`,
    port,
    gateway,
    meters,
    server,
    parts,
    log,
    readiness,
    [Symbol.asyncDispose]: () => server.drain(0),
  };
  return service;
}

export interface GraphqlAnswer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers of every shape
  readonly data: any;
  readonly errors: readonly {
    readonly message: string;
    readonly path?: readonly string[];
    readonly extensions: Record<string, unknown>;
  }[];
  readonly extensions: Record<string, { readonly requestId: string }>;
}

/** One operation over HTTP, as any client sends it. */
export async function ask(
  service: Service,
  query: string,
  variables?: object,
  options: { readonly headers?: Record<string, string>; readonly signal?: AbortSignal } = {},
): Promise<GraphqlAnswer> {
  const response = await fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json', ...options.headers },
    body: JSON.stringify({ query, variables }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const { data, errors = [], extensions } = (await response.json()) as GraphqlAnswer;
  return { status: response.status, headers: response.headers, data, errors, extensions };
}
