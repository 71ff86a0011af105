import { request as httpRequest, type IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import type { Delta } from '../../../src/core/delta.ts';
import { providerKey, requestId } from '../../../src/core/ids.ts';
import type { StreamCall } from '../../../src/gateway/gateway.ts';
import type { StreamEvent, StreamPiece } from '../../../src/gateway/stream-log.ts';
import { STREAM_WAITS } from '../../../src/http/rest/event-stream.ts';
import { type FakeClock, makeFakeClock } from '../../fakes/clock.ts';
import { answered, COST, DECISION, endingsAt, TIMING } from '../../fakes/gateway-data.ts';
import { quiet } from '../../support/gateway-kit.ts';
import { type Service, startService } from '../running-server.ts';
import { CHAT, chunksOf, post, said } from './rest-kit.ts';

const STREAM = said('hi', { stream: true, model: 'smart' });
const WITH_USAGE = { ...STREAM, stream_options: { include_usage: true } };

/** A stream that a test tells event by event. */
function hold(service: Service) {
  const events: (StreamEvent | 'lost' | Error)[] = [];
  let wake = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<StreamCall>();
  let isOver = false;
  const left = Promise.withResolvers<void>();
  const tell = (...more: readonly (StreamEvent | 'lost' | Error)[]) => {
    events.push(...more);
    wake.resolve();
    wake = Promise.withResolvers();
  };
  async function* pieces(call: StreamCall): AsyncGenerator<StreamPiece> {
    call.signal.addEventListener('abort', () => {
      isOver = true;
      tell();
    });
    begun.resolve(call);
    try {
      for (let sequence = 0; !isOver; ) {
        const event = events.shift();
        if (event === undefined) await wake.promise;
        else if (event === 'lost') yield { kind: 'lost' };
        else if (event instanceof Error) throw event;
        else {
          yield { sequence, event };
          sequence += 1;
          if (event.kind === 'ended') return;
        }
      }
    } finally {
      left.resolve();
    }
  }
  service.gateway.onStream = pieces;
  return { begun: begun.promise, left: left.promise, tell };
}

function started(call: StreamCall): StreamEvent {
  return { kind: 'started', requestId: call.requestId, routing: { ...DECISION, attempts: [] } };
}

function text(piece: string): StreamEvent {
  return { kind: 'delta', delta: { kind: 'text', text: piece } };
}

function ended(service: Service, call: StreamCall): StreamEvent {
  return { kind: 'ended', outcome: answered({ ...call, onDelta: null }, service.gateway.now()) };
}

function failed(service: Service, call: StreamCall, kind: keyof ReturnType<typeof endingsAt>): StreamEvent {
  const why = endingsAt(service.gateway.now())[kind];
  return {
    kind: 'ended',
    outcome: { kind: 'ended', requestId: call.requestId, why, routing: DECISION, cost: COST, timing: TIMING },
  };
}

/** A stream whose events are known beforehand. */
function play(service: Service, eventsOf: (call: StreamCall) => readonly StreamEvent[]) {
  service.gateway.onStream = (call) => eventsOf(call).map((event, sequence) => ({ sequence, event }));
}

test('a stream is told byte by byte as OpenAI tells it', async () => {
  await using service = await startService();
  play(service, (call) => [started(call), text('Hel'), text('lo\r\n'), ended(service, call)]);
  const response = await post(service, WITH_USAGE);
  const id = response.headers.get('x-request-id');
  const start = `{"id":"${id}","object":"chat.completion.chunk","created":1767225600,"model":"gpt-5.1","provider":"openai","choices":[`;
  const usage = `{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":2},"completion_tokens_details":{"reasoning_tokens":1},"cost":0.0123}`;
  expect(await response.text()).toBe(
    [
      `data: ${start}{"index":0,"delta":{"role":"assistant","content":"Hel"},"finish_reason":null,"logprobs":null}],"usage":null}`,
      `data: ${start}{"index":0,"delta":{"content":"lo\\r\\n"},"finish_reason":null,"logprobs":null}],"usage":null}`,
      `data: ${start}{"index":0,"delta":{},"finish_reason":"stop","logprobs":null}],"usage":null,"warnings":["seed was ignored"]}`,
      `data: ${start}],"usage":${usage}}`,
      'data: [DONE]',
      '',
    ].join('\n\n'),
  );
  expect(response.status).toBe(200);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    'x-switchyard-provider': 'openai',
    'x-switchyard-model': 'gpt-5.1',
    'x-switchyard-attempts': '1',
  });
  expect(response.headers.has('x-switchyard-cost-usd')).toBe(false);
});

test('without include_usage no chunk says anything of usage', async () => {
  await using service = await startService();
  play(service, (call) => [started(call), text('Hello'), ended(service, call)]);
  const chunks = chunksOf(await (await post(service, STREAM)).text());
  expect(chunks).toHaveLength(2);
  for (const chunk of chunks) expect(chunk).not.toHaveProperty('usage');
});

test('thinking and tool calls come as pieces of their own', async () => {
  await using service = await startService();
  const deltas: readonly Delta[] = [
    { kind: 'reasoning', text: 'hm' },
    { kind: 'toolCall', index: 0, id: 'c1', name: 'look', argumentsChunk: null },
    { kind: 'toolCall', index: 0, id: null, name: null, argumentsChunk: '{"at":' },
    { kind: 'toolCall', index: 1, id: 'c2', name: 'go', argumentsChunk: '{}' },
  ];
  play(service, (call) => [
    started(call),
    ...deltas.map((delta) => ({ kind: 'delta', delta }) as const),
    ended(service, call),
  ]);
  const chunks = chunksOf(await (await post(service, STREAM)).text());
  expect(chunks.map(({ choices }) => choices[0].delta)).toEqual([
    { role: 'assistant', reasoning_content: 'hm' },
    { tool_calls: [{ index: 0, id: 'c1', type: 'function', function: { name: 'look', arguments: '' } }] },
    { tool_calls: [{ index: 0, function: { arguments: '{"at":' } }] },
    { tool_calls: [{ index: 1, id: 'c2', type: 'function', function: { name: 'go', arguments: '{}' } }] },
    {},
  ]);
});

test('an answer without a piece still says who speaks, and why it stopped', async () => {
  await using service = await startService();
  play(service, (call) => [started(call), ended(service, call)]);
  const chunks = chunksOf(await (await post(service, STREAM)).text());
  expect(chunks.map(({ choices }) => choices)).toMatchObject([
    [{ delta: { role: 'assistant' }, finish_reason: 'stop' }],
  ]);
});

test('pieces name the provider that took over, and the request that a stream was joined to', async () => {
  await using service = await startService();
  const first = requestId('019b76a1-0000-7000-8000-000000000000');
  play(service, (call) => [
    { ...started(call), requestId: first } as StreamEvent,
    { kind: 'rerouted', failed: DECISION.attempts[0]!, provider: providerKey('google'), model: 'gemini-pro' },
    text('Hello'),
    ended(service, call),
  ]);
  const response = await post(service, STREAM);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'x-switchyard-provider': 'google',
    'x-switchyard-model': 'gemini-pro',
    'x-switchyard-attempts': '2',
  });
  const [chunk] = chunksOf(await response.text());
  expect(chunk).toMatchObject({ id: `req_${first}`, model: 'gemini-pro', provider: 'google' });
});

test('the whole decision comes with the last chunk, to those who ask for it', async () => {
  await using service = await startService();
  play(service, (call) => [started(call), text('Hello'), ended(service, call)]);
  const headers = { 'x-switchyard-metadata': 'enabled' };
  for (const body of [STREAM, WITH_USAGE]) {
    const chunks = chunksOf(await (await post(service, body, { headers })).text());
    expect(chunks.map((chunk) => 'gateway' in chunk)).toEqual([...chunks.slice(1).map(() => false), true]);
    expect(chunks.at(-1).gateway).toMatchObject({ routing: { policy: 'balanced-1' }, cost: { total_usd: '0.0123' } });
  }
});

describe('a failure before the first piece', () => {
  test.each([
    ['budgetExceeded', 402],
    ['rateLimited', 429],
    ['allProvidersFailed', 502],
    ['noProviderAvailable', 503],
    ['timedOut', 504],
  ] as const)('has the status that it has without a stream: %s', async (kind, status) => {
    await using service = await startService();
    play(service, (call) => [started(call), failed(service, call, kind)]);
    const response = await post(service, STREAM);
    expect([response.status, response.headers.get('content-type'), response.headers.get('retry-after-ms')]).toEqual([
      status,
      'application/json; charset=utf-8',
      '1501',
    ]);
    expect(JSON.parse(await response.text()).error.message).toBe('what happened');
  });

  test('has it also when it is a bug', async () => {
    await using service = await startService();
    hold(service).tell(new Error('a bug'));
    const response = await post(service, STREAM);
    expect([response.status, JSON.parse(await response.text()).error.code]).toEqual([500, 'internal']);
  });
});

describe('a failure after the first piece', () => {
  test.each<[what: string, next: (service: Service, call: StreamCall) => StreamEvent | 'lost' | Error, code: string]>([
    [
      'a provider that breaks off',
      (service, call) => failed(service, call, 'allProvidersFailed'),
      'all_providers_failed',
    ],
    ['time', (service, call) => failed(service, call, 'timedOut'), 'timed_out'],
    ['a reader that is too slow', () => 'lost', 'stream_lost'],
    ['a bug', () => new Error('a bug'), 'internal'],
  ])('is a chunk with an error, then the end: %s', async (_what, next, code) => {
    await using service = await startService();
    const stream = hold(service);
    const answering = post(service, WITH_USAGE, { headers: { 'x-switchyard-metadata': 'enabled' } });
    const call = await stream.begun;
    stream.tell(started(call), text('Hel'));
    const response = await answering;
    expect(response.status).toBe(200);
    stream.tell(next(service, call));
    const body = await response.text();
    const chunks = chunksOf(body);
    expect(chunks).toHaveLength(2);
    expect(chunks[1]).toMatchObject({
      object: 'chat.completion.chunk',
      model: 'gpt-5.1',
      choices: [{ index: 0, delta: {}, finish_reason: 'error' }],
      error: { code, param: null, message: expect.any(String), type: 'server_error' },
      usage: null,
    });
    expect(body.endsWith('\n\ndata: [DONE]\n\n')).toBe(true);
    await stream.left;
    expect(service.log.find(({ msg }) => msg === 'operation')).toMatchObject({
      operation: 'chatStream',
      status: 200,
      errors: 1,
    });
  });
});

/** A reader who sees headers and bytes when they come. */
function open(service: Service): Promise<{ response: IncomingMessage; received: () => string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const options = { host: '127.0.0.1', port: service.port, method: 'POST', path: CHAT, headers };
    const request = httpRequest(options, (response) => {
      let received = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        received += chunk;
      });
      response.on('error', () => undefined);
      resolve({ response, received: () => received });
    });
    request.on('error', reject);
    request.end(JSON.stringify(STREAM));
  });
}

/** Lets bytes cross the loopback. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await quiet();
}

describe('while nothing comes', () => {
  async function startWith(clock: FakeClock) {
    const service = await startService({ clock });
    return { service, stream: hold(service) };
  }

  test('the headers wait for the first piece, ten seconds at most; then comments keep the connection alive', async () => {
    const clock = makeFakeClock();
    const { service, stream } = await startWith(clock);
    await using _service = service;
    let isAnswered = false;
    const answering = open(service);
    void answering.then(() => {
      isAnswered = true;
    });
    const call = await stream.begun;
    stream.tell(started(call));
    clock.advance(STREAM_WAITS.headersMs - 1);
    await quiet();
    expect(isAnswered).toBe(false);
    clock.advance(1);
    const { response, received } = await answering;
    expect(response.statusCode).toBe(200);
    await until(() => received() === ': keep-alive\n\n');
    clock.advance(STREAM_WAITS.keepAliveMs - 1);
    await quiet();
    expect(received()).toBe(': keep-alive\n\n');
    clock.advance(1);
    await until(() => received() === ': keep-alive\n\n'.repeat(2));

    stream.tell(failed(service, call, 'allProvidersFailed'));
    await until(() => received().endsWith('[DONE]\n\n'));
    expect(chunksOf(received())).toMatchObject([{ error: { code: 'all_providers_failed' } }]);
  });

  test('a piece starts the silence anew, and nothing ticks after the end', async () => {
    const clock = makeFakeClock();
    const { service, stream } = await startWith(clock);
    await using _service = service;
    const before = clock.timerCount();
    const answering = open(service);
    const call = await stream.begun;
    clock.advance(STREAM_WAITS.headersMs - 1);
    stream.tell(started(call), text('Hel'));
    const { received } = await answering;
    clock.advance(STREAM_WAITS.keepAliveMs - 1);
    stream.tell(text('lo'));
    await until(() => chunksOf(received()).length === 2);
    clock.advance(STREAM_WAITS.keepAliveMs - 1);
    await quiet();
    expect(received()).not.toContain('keep-alive');
    stream.tell(ended(service, call));
    await until(() => received().endsWith('[DONE]\n\n'));
    expect(clock.timerCount()).toBe(before);
  });
});

test('a reader who stops reading is waited for: what it has not taken is not asked for', async () => {
  await using service = await startService();
  let asked = 0;
  const piece = 'x'.repeat(64_000);
  service.gateway.onStream = function* (call) {
    yield { sequence: 0, event: started(call) };
    for (; asked < 2_000; asked += 1) yield { sequence: asked + 1, event: text(piece) };
    yield { sequence: asked + 1, event: ended(service, call) };
  };
  const { response, received } = await open(service);
  response.pause();
  let before = -1;
  // Until the sockets between us are full.
  while (before !== asked) {
    before = asked;
    for (let turn = 0; turn < 10; turn += 1) await quiet();
  }
  expect(asked).toBeLessThan(1_000);
  response.resume();
  await until(() => received().endsWith('[DONE]\n\n'));
  expect(asked).toBe(2_000);
});

test('a reader who hangs up ends the stream, before its first piece and after', async () => {
  for (const isBegun of [false, true]) {
    await using service = await startService();
    const stream = hold(service);
    const leave = new AbortController();
    const answering = post(service, STREAM, { signal: leave.signal }).catch(() => 'gone');
    const call = await stream.begun;
    if (isBegun) {
      stream.tell(started(call), text('Hel'));
      await answering;
    }
    leave.abort();
    await stream.left;
    expect(call.signal.aborted).toBe(true);
    await answering;
    await until(() => service.log.some(({ msg }) => msg === 'operation'));
    expect(service.log.filter(({ level }) => level === 'error')).toEqual([]);
  }
});

describe('a replica that shuts down', () => {
  test('lets a stream finish, as work that fills a place', async () => {
    await using service = await startService({ inFlightMax: 1 });
    const stream = hold(service);
    const answering = open(service);
    const call = await stream.begun;
    stream.tell(started(call), text('Hel'));
    const { received } = await answering;
    expect((await post(service, STREAM)).status).toBe(503);
    const drained = service.server.drain(30_000);
    stream.tell(text('lo'), ended(service, call));
    await drained;
    await until(() => received().endsWith('[DONE]\n\n'));
    expect(chunksOf(received())).toHaveLength(3);
  });

  test('tells the reader of one that it has to stop', async () => {
    await using service = await startService();
    const stream = hold(service);
    const answering = open(service);
    const call = await stream.begun;
    stream.tell(started(call), text('Hel'));
    const { received } = await answering;
    await service.server.drain(1);
    await until(() => received().endsWith('[DONE]\n\n'));
    expect(chunksOf(received()).at(-1)).toMatchObject({ error: { code: 'cancelled', type: 'api_error' } });
  });
});

test('a stream on a replica that is about to leave ends its connection', async () => {
  await using service = await startService();
  service.server.leave();
  play(service, (call) => [started(call), text('Hello'), ended(service, call)]);
  const { response, received } = await open(service);
  expect(response.headers.connection).toBe('close');
  await until(() => received().endsWith('[DONE]\n\n'));
});
