import { expect } from 'vitest';
import { requestId } from '../../../src/core/ids.ts';
import type { Caller } from '../../../src/gateway/caller.ts';
import type { Gateway } from '../../../src/gateway/gateway.ts';
import { type HttpServer, type HttpServerDeps, makeHttpServer } from '../../../src/http/server.ts';
import { makeLog } from '../../../src/telemetry/log.ts';
import { makeMeters } from '../../../src/telemetry/meters.ts';
import { NO_TRACES } from '../../../src/telemetry/no-traces.ts';
import { newUuid, SYSTEM_CLOCK } from '../../../src/wiring/system.ts';
import { type GatewayKit, type KitOptions, makeGatewayKit } from '../../support/gateway-kit.ts';
import {
  chunkFaults,
  completionFaults,
  errorChunkFaults,
  errorFaults,
  modelListFaults,
} from '../../support/openai-oracle.ts';

/** A real server in front of a real gateway whose providers a test scripts. */
export interface OpenService extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly kit: GatewayKit;
  readonly server: HttpServer;
  readonly log: readonly Record<string, unknown>[];
  /** The same as it was written. */
  readonly lines: readonly string[];
}

/** `as`: who everybody is taken for. Default: whoever the door says. */
export async function openService(
  options: KitOptions & { readonly as?: Caller },
  over: Partial<Pick<HttpServerDeps, 'patience' | 'auth' | 'socketsPerKey'>> = {},
): Promise<OpenService> {
  const kit = makeGatewayKit(options);
  const log: Record<string, unknown>[] = [];
  const lines: string[] = [];
  const write = (line: string) => {
    lines.push(line);
    log.push(JSON.parse(line));
  };
  const meters = makeMeters();
  const server = makeHttpServer({
    gateway: options.as === undefined ? kit.gateway : gatewayFor(kit.gateway, options.as),
    log: makeLog({ level: 'debug', stream: { write } }),
    // The server's waits are about real sockets.
    clock: SYSTEM_CLOCK,
    newId: () => requestId(newUuid()),
    readiness: async () => ({ isReady: true, checks: [] }),
    metrics: meters,
    traces: NO_TRACES,
    meters,
    host: '127.0.0.1',
    port: 0,
    auth: 'off',
    isGraphiqlOn: false,
    allowedOrigins: [],
    socketsPerKey: 100,
    inFlightMax: 1_000,
    persisted: () => ({ texts: new Map(), areOnlyOnes: false }),
    page: null,
    ...over,
  });
  const listening = await server.listen();
  if (listening.kind !== 'listening') throw new Error(listening.message);
  const { port } = listening;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    kit,
    server,
    log,
    lines,
    async [Symbol.asyncDispose]() {
      await server.drain(0);
      await kit[Symbol.asyncDispose]();
    },
  };
}

function gatewayFor(gateway: Gateway, caller: Caller): Gateway {
  return {
    ...gateway,
    chat: (call) => gateway.chat({ ...call, caller }),
    stream: (call) => gateway.stream({ ...call, caller }),
    preview: (call) => gateway.preview({ ...call, caller }),
    limitsSeen: () => gateway.limitsSeen(caller),
  };
}

export const CHAT = '/v1/chat/completions';

/** One chat as any client sends it. Whatever comes back must be what OpenAI's API could have sent. */
export async function post(
  { url }: { readonly url: string },
  body: unknown,
  options: { readonly headers?: Record<string, string>; readonly path?: string; readonly signal?: AbortSignal } = {},
): Promise<Response> {
  const response = await fetch(`${url}${options.path ?? CHAT}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...options.headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const isWhole = response.headers.get('content-type')?.startsWith('application/json') ?? false;
  if (isWhole) expect(bodyFaults(await response.clone().json())).toEqual([]);
  return response;
}

/** What OpenAI's API could not have said in a body of its own. A plan is no answer of theirs. */
export function bodyFaults(body: Record<string, unknown>): readonly string[] {
  if (body.object === 'chat.completion.preview') return [];
  if (body.object === 'list') return modelListFaults(body);
  return 'error' in body ? errorFaults(body) : completionFaults(withKnownReasons(body));
}

/** OpenAI has no word for an answer that its provider itself ended as failed: docs/rest.md says that "error" is ours. */
function withKnownReasons(body: Record<string, unknown>): Record<string, unknown> {
  const choices = Array.isArray(body.choices) ? body.choices : [];
  const known = choices.map((choice) => ({
    ...choice,
    finish_reason: choice.finish_reason === 'error' ? 'stop' : choice.finish_reason,
  }));
  return { ...body, choices: known };
}

/** A chat that says one thing. */
export function said(text: string, more: object = {}): object {
  return { messages: [{ role: 'user', content: text }], ...more };
}

// biome-ignore lint/suspicious/noExplicitAny: tests read chunks of every shape
export type Chunk = any;

/** The chunks of a stream's text, without the end mark. Comments are left out. Each must be what OpenAI's API could have sent. */
export function chunksOf(text: string): readonly Chunk[] {
  const chunks = text
    .split('\n\n')
    .filter((event) => event.startsWith('data: {'))
    .map((event): Chunk => JSON.parse(event.slice('data: '.length)));
  expect(
    chunks.flatMap((chunk) => ('error' in chunk ? errorChunkFaults(chunk) : chunkFaults(withKnownReasons(chunk)))),
  ).toEqual([]);
  return chunks;
}

export const EXPLAINED = { 'x-switchyard-metadata': 'enabled' };

/** All headers of ours that an answer has. */
export function oursOf(headers: Headers): Record<string, string> {
  const names = /^(x-switchyard|x-should|retry-after|server-timing)/;
  return Object.fromEntries([...headers].filter(([name]) => names.test(name)));
}

/** The log lines about operations that have ended. */
export function operationsOf({ log }: { readonly log: readonly Record<string, unknown>[] }) {
  return log.filter(({ msg }) => msg === 'operation');
}
