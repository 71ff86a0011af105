import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { providerKey } from '../../src/core/ids.ts';
import { parsePricePerMTok } from '../../src/core/money.ts';
import type { Prompt } from '../../src/core/prompt.ts';
import type { ModelSpec } from '../../src/core/registry.ts';
import type { ProviderCall, ProviderPort } from '../../src/ports/provider.ts';
import { makeSdkProvider, type SdkSettings } from '../../src/providers/sdk.ts';
import type { SdkKind } from '../../src/providers/vendor.ts';
import { openUpstream as openNetwork } from '../../src/wiring/upstream.ts';
import { makeFakeClock } from '../fakes/clock.ts';
import { SILENT_LOG } from '../fakes/log.ts';

export const SDK_KINDS = ['openai', 'anthropic', 'gemini', 'openaiCompatible'] as const satisfies readonly SdkKind[];
/** The way out that the service itself takes. */
const NETWORK = await openNetwork({ gate: () => null, log: SILENT_LOG });

export const API_KEY = 'test-key-0123456789';

/** Where each vendor's package expects its API below a server's address. */
const BASE_PATHS = { openai: '/v1', anthropic: '/v1', gemini: '/v1beta', openaiCompatible: '/v1' } as const;

export const MODEL_NAMES = {
  openai: 'gpt-5.1',
  anthropic: 'claude-sonnet-4-5',
  gemini: 'gemini-2.5-pro',
  openaiCompatible: 'llama-3.3-70b',
} as const;

const price = parsePricePerMTok('1.00')!;

export function modelNamed(name: string, over: Partial<ModelSpec> = {}): ModelSpec {
  return {
    name,
    aliases: [],
    price: { input: price, output: price, cachedInput: null, reasoning: null },
    contextWindow: 128_000,
    maxOutputTokens: 8_192,
    capabilities: [],
    unsupportedParameters: [],
    imageTokensMax: null,
    quality: 0.9,
    typicalLatencyMs: 200,
    typicalTokensPerSecond: 50,
    ...over,
  };
}

export function promptOfText(text: string, over: Partial<Prompt> = {}): Prompt {
  return {
    messages: [{ role: 'user', parts: [{ kind: 'text', text }] }],
    tools: null,
    responseFormat: null,
    temperature: null,
    topP: null,
    presencePenalty: null,
    frequencyPenalty: null,
    stop: [],
    seed: null,
    reasoningEffort: null,
    extras: null,
    ...over,
  };
}

export function callOf(kind: SdkKind, over: Partial<ProviderCall> = {}): ProviderCall {
  return { model: modelNamed(MODEL_NAMES[kind]), prompt: promptOfText('hello'), maxOutputTokens: 1_000, ...over };
}

/** A provider of a kind whose service is at `url`, which has no path. */
export function makeProvider(kind: SdkKind, url: string, over: Partial<SdkSettings> = {}): Promise<ProviderPort> {
  return makeSdkProvider({
    key: providerKey(kind),
    kind,
    apiKey: API_KEY,
    baseUrl: `${url}${BASE_PATHS[kind]}`,
    areErrorsBilled: true,
    fetch: NETWORK.fetch,
    clock: makeFakeClock(),
    ...over,
  });
}

interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

/** A server on a free port that remembers what it was asked. */
export interface Upstream extends AsyncDisposable {
  readonly url: string;
  readonly received: readonly Received[];
}

/** An HTTP server of the test's own: it answers each request with `answer`, which may also never end it. */
export async function openUpstream(
  answer: (response: ServerResponse, request: IncomingMessage) => void,
): Promise<Upstream> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const text = Buffer.concat(chunks).toString();
    const { method = '', url = '', headers } = request;
    received.push({ method, path: url, headers, body: text === '' ? null : JSON.parse(text) });
    answer(response, request);
  });
  const url = await listening(server);
  return {
    url,
    received,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A TCP server, for what is not even HTTP. */
export async function openTcpUpstream(onRequest: (socket: Socket) => void): Promise<Omit<Upstream, 'received'>> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => onRequest(socket));
  });
  const url = await listening(server);
  return {
    url,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function listening(server: ReturnType<typeof createTcpServer>): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}`;
}

/** Answers with JSON. */
export function sendJson(
  response: ServerResponse,
  body: unknown,
  status = 200,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}
