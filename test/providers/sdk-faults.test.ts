import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { AttemptAborted, type Failure } from '../../src/core/failure.ts';
import type { ProviderPort } from '../../src/ports/provider.ts';
import { ANSWER_BYTES_MAX } from '../../src/providers/exchange.ts';
import type { SdkSettings } from '../../src/providers/sdk.ts';
import type { SdkKind } from '../../src/providers/vendor.ts';
import {
  API_KEY,
  callOf,
  makeProvider,
  openTcpUpstream,
  openUpstream,
  promptOfText,
  SDK_KINDS,
  sendJson,
} from './upstream.ts';

const NEVER = new AbortController().signal;

async function failureOfCall(provider: ProviderPort, kind: SdkKind, signal = NEVER): Promise<Failure> {
  const result = await provider.call(callOf(kind), signal);
  if (result.kind === 'answered') throw new Error('it answered');
  return result.failure;
}

async function failureFrom(
  kind: SdkKind,
  answer: (response: ServerResponse, request: IncomingMessage) => void,
  over: Partial<SdkSettings> = {},
): Promise<Failure> {
  await using upstream = await openUpstream(answer);
  return await failureOfCall(await makeProvider(kind, upstream.url, over), kind);
}

/** An error body as each vendor writes it. */
const ERROR_BODIES = {
  openai: (message: string) => ({ error: { message, type: 'x', param: null, code: null } }),
  anthropic: (message: string) => ({ type: 'error', error: { type: 'x', message }, request_id: 'req_1' }),
  gemini: (message: string) => ({ error: { code: 1, message, status: 'X' } }),
  openaiCompatible: (message: string) => ({ detail: message }),
} as const;

const STATUSES = [
  { status: 400, kind: 'rejected', billed: 'nothing' },
  { status: 401, kind: 'misconfigured', billed: 'nothing' },
  { status: 402, kind: 'misconfigured', billed: 'nothing' },
  { status: 403, kind: 'misconfigured', billed: 'nothing' },
  { status: 404, kind: 'notServed', billed: 'nothing' },
  { status: 408, kind: 'timedOut', billed: 'unknown' },
  { status: 413, kind: 'rejected', billed: 'nothing' },
  { status: 422, kind: 'rejected', billed: 'nothing' },
  { status: 429, kind: 'throttled', billed: 'nothing' },
  { status: 500, kind: 'providerError', billed: 'unknown' },
  { status: 503, kind: 'providerError', billed: 'unknown' },
  { status: 529, kind: 'providerError', billed: 'unknown' },
] as const;

describe.each(SDK_KINDS)('%s: a refusal is named by its status', (kind) => {
  test.each(STATUSES)('HTTP $status is $kind and bills $billed', async (row) => {
    const failure = await failureFrom(kind, (response) =>
      sendJson(response, ERROR_BODIES[kind]('no such luck'), row.status, { 'retry-after': '3' }),
    );
    expect(failure).toEqual({
      kind: row.kind,
      message: `HTTP ${row.status}: no such luck`,
      httpStatus: row.status,
      retryAfterMs: row.kind === 'throttled' || row.kind === 'providerError' ? 3_000 : null,
      billed: row.billed,
      isSimulated: false,
    });
  });
});

describe('a provider’s own ways to refuse', () => {
  test('Gemini answers 400 to a wrong key: the operator’s fault, not the request’s', async () => {
    const details = [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' }];
    const body = { error: { code: 400, message: 'API key not valid.', status: 'INVALID_ARGUMENT', details } };
    const failure = await failureFrom('gemini', (response) => sendJson(response, body, 400));
    expect(failure).toMatchObject({ kind: 'misconfigured', billed: 'nothing' });
  });

  test('Anthropic answers 400 to an empty purse: the operator’s fault, not the request’s', async () => {
    const body = ERROR_BODIES.anthropic('Your credit balance is too low to access the Anthropic API.');
    const failure = await failureFrom('anthropic', (response) => sendJson(response, body, 400));
    expect(failure).toMatchObject({ kind: 'misconfigured' });
  });

  test('Gemini tells in the body how long to wait', async () => {
    const details = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '22s' }];
    const body = { error: { code: 429, message: 'quota', status: 'RESOURCE_EXHAUSTED', details } };
    const failure = await failureFrom('gemini', (response) => sendJson(response, body, 429));
    expect(failure).toMatchObject({ kind: 'throttled', retryAfterMs: 22_000 });
  });

  test('a provider that bills no errors owes nothing after a 500, but may after a cut', async () => {
    const over = { areErrorsBilled: false };
    expect(await failureFrom('gemini', (response) => sendJson(response, {}, 500), over)).toMatchObject({
      billed: 'nothing',
    });
    expect(await failureFrom('gemini', (response) => response.destroy(), over)).toMatchObject({ billed: 'unknown' });
  });

  test('a refusal in plain text, or without any, still says something', async () => {
    const plain = await failureFrom('openai', (response) => response.writeHead(502).end('<h1>Bad\nGateway</h1>'));
    expect(plain.message).toBe('HTTP 502: <h1>Bad Gateway</h1>');
    const empty = await failureFrom('openai', (response) => response.writeHead(503).end());
    expect(empty.message).toBe('HTTP 503 without an explanation');
  });

  test('a key quoted back by the provider does not reach the message', async () => {
    const failure = await failureFrom('openai', (response) =>
      sendJson(response, ERROR_BODIES.openai(`Incorrect API key: ${API_KEY}, or Bearer ${API_KEY}`), 401),
    );
    expect(failure.message).toBe('HTTP 401: Incorrect API key: [secret], or Bearer [secret]');
  });
});

describe.each(SDK_KINDS)('%s: an answer that makes no sense', (kind) => {
  test.each([
    ['an empty object', {}],
    ['a list', []],
    ['an error beside HTTP 200', { error: { message: 'upstream died' } }],
  ])('%s is an invalidResponse, and the money may be gone', async (_name, body) => {
    expect(await failureFrom(kind, (response) => sendJson(response, body))).toMatchObject({
      kind: 'invalidResponse',
      httpStatus: 200,
      billed: 'unknown',
    });
  });

  test('what is not HTTP is an invalidResponse', async () => {
    await using upstream = await openTcpUpstream((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n\r\n'));
    const failure = await failureOfCall(await makeProvider(kind, upstream.url), kind);
    expect(failure).toMatchObject({ kind: 'invalidResponse', httpStatus: null, billed: 'unknown' });
  });

  test('a redirect is an invalidResponse, is not followed, and the message says why', async () => {
    await using elsewhere = await openUpstream((response) => sendJson(response, {}));
    const failure = await failureFrom(kind, (response) => response.writeHead(307, { location: elsewhere.url }).end());
    expect(failure).toMatchObject({ kind: 'invalidResponse', billed: 'unknown' });
    expect(failure.message).toContain('redirects are off');
    expect(elsewhere.received).toEqual([]);
  });
});

describe('limits', () => {
  test('an answer without end is cut off at the limit, and its connection closed', async () => {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const failure = await failureFrom('openai', (response) => {
      response.on('close', () => resolve());
      response.writeHead(200);
      const chunk = Buffer.alloc(1024 * 1024, ' ');
      const flood = (): void => {
        while (!response.destroyed && response.write(chunk)) {}
      };
      response.on('drain', flood);
      flood();
    });
    expect(failure).toMatchObject({ kind: 'invalidResponse', billed: 'unknown', httpStatus: 200 });
    expect(failure.message).toContain(String(ANSWER_BYTES_MAX));
    await closed;
  });
});

describe.each(SDK_KINDS)('%s: the network fails', (kind) => {
  test('a refused connection is a networkError, and nothing can be billed', async () => {
    const gone = await openUpstream(() => {});
    await gone[Symbol.asyncDispose]();
    const failure = await failureOfCall(await makeProvider(kind, gone.url), kind);
    expect(failure).toMatchObject({ kind: 'networkError', httpStatus: null, billed: 'nothing' });
    expect(failure.message).toMatch(/^No connection: .*ECONNREFUSED/);
  });

  test('an unknown host is a networkError, and nothing can be billed', async () => {
    const failure = await failureOfCall(await makeProvider(kind, 'http://no-such-host.invalid'), kind);
    expect(failure).toMatchObject({ kind: 'networkError', billed: 'nothing' });
  });

  test('a connection cut before the headers is a networkError, and the money may be gone', async () => {
    const failure = await failureFrom(kind, (response) => response.destroy());
    expect(failure).toMatchObject({ kind: 'networkError', httpStatus: null, billed: 'unknown' });
  });

  test('a connection cut in the middle of the answer is a networkError, and the money may be gone', async () => {
    const failure = await failureFrom(kind, (response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '5000' });
      response.write('{"choices":', () => response.destroy());
    });
    expect(failure).toMatchObject({ kind: 'networkError', httpStatus: 200, billed: 'unknown' });
  });
});

const HANGS = {
  'before the headers': () => {},
  'in the middle of the answer': (response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write('{"choices":');
  },
} as const;

describe.each(SDK_KINDS)('%s: an abort', (kind) => {
  test.each([
    ['before the headers', 'timedOut'],
    ['before the headers', 'cancelled'],
    ['in the middle of the answer', 'timedOut'],
    ['in the middle of the answer', 'cancelled'],
  ] as const)('%s as %s is named so, and the upstream sees its connection closed', async (place, cause) => {
    const controller = new AbortController();
    const { promise: hanging, resolve } = Promise.withResolvers<ServerResponse>();
    await using upstream = await openUpstream((response) => {
      HANGS[place](response);
      resolve(response);
    });
    const pending = failureOfCall(await makeProvider(kind, upstream.url), kind, controller.signal);
    const closed = once(await hanging, 'close');
    controller.abort(new AttemptAborted(cause));
    expect(await pending).toMatchObject({ kind: cause, billed: 'unknown', isSimulated: false });
    await closed;
  });

  test('before anything was sent bills nothing', async () => {
    await using upstream = await openUpstream((response) => sendJson(response, {}));
    const over = AbortSignal.abort(new AttemptAborted('cancelled'));
    const failure = await failureOfCall(await makeProvider(kind, upstream.url), kind, over);
    expect(failure).toMatchObject({ kind: 'cancelled', billed: 'nothing' });
    expect(upstream.received).toEqual([]);
  });
});

test('an abort without our reason is told apart by the reason’s own name', async () => {
  const provider = await makeProvider('openai', 'http://127.0.0.1:9');
  expect(await failureOfCall(provider, 'openai', AbortSignal.abort())).toMatchObject({ kind: 'cancelled' });
  const late = AbortSignal.abort(new DOMException('too late', 'TimeoutError'));
  expect(await failureOfCall(provider, 'openai', late)).toMatchObject({ kind: 'timedOut' });
});

test('a key that cannot stand in a header is the operator’s fault and is not shown', async () => {
  const apiKey = 'abc\u0000def-ghi-jkl';
  const failure = await failureOfCall(await makeProvider('anthropic', 'http://127.0.0.1:9', { apiKey }), 'anthropic');
  expect(failure).toMatchObject({ kind: 'misconfigured', billed: 'nothing' });
  expect(failure.message).not.toContain('ghi');
});

test('a compatible server without a base URL is refused when it is made', async () => {
  await expect(makeProvider('openaiCompatible', '', { baseUrl: null })).rejects.toThrow(/base URL/);
});

describe.each(SDK_KINDS)('%s: what it says of a failure', (kind) => {
  test.each([400, 401, 429, 500])('with HTTP %i never repeats the prompt', async (status) => {
    const secret = 'swordfish-77 is the password of my cat';
    await using upstream = await openUpstream((response, request) => {
      const echo = { error: { message: `cannot do: ${secret}`, type: 'error' }, authorization: request.headers };
      sendJson(response, echo, status, { 'x-echo': secret });
    });
    const provider = await makeProvider(kind, upstream.url);
    const result = await provider.call(callOf(kind, { prompt: promptOfText(secret) }), new AbortController().signal);
    expect(result).toMatchObject({ kind: 'failed', failure: { httpStatus: status } });
    expect(JSON.stringify(result)).toContain('cannot do: [prompt]');
    expect(JSON.stringify(result)).not.toMatch(/swordfish|password/);
  });
});
