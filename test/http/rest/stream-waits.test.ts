import { describe, expect, test } from 'vitest';
import { STALLED_MS } from '../../../src/http/outgoing.ts';
import { STREAM_WAITS } from '../../../src/http/rest/event-stream.ts';
import { type FakeClock, makeFakeClock } from '../../fakes/clock.ts';
import { quiet } from '../../support/gateway-kit.ts';
import { startService } from '../running-server.ts';
import { chunksOf, operationsOf, post } from './rest-kit.ts';
import { ended, failed, hold, open, play, STREAM, started, text, until } from './stream-kit.ts';

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

/** Until the sockets between us are full. */
async function untilStuck(count: () => number): Promise<void> {
  for (let before = -1; before !== count(); ) {
    before = count();
    for (let turn = 0; turn < 10; turn += 1) await quiet();
  }
}

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
  await untilStuck(() => asked);
  expect(asked).toBeLessThan(1_000);
  response.resume();
  await until(() => received().endsWith('[DONE]\n\n'));
  expect(asked).toBe(2_000);
});

test('a reader who takes nothing for a minute is left, and fills no place any more', async () => {
  const clock = makeFakeClock();
  await using service = await startService({ clock });
  const left = Promise.withResolvers<void>();
  let asked = 0;
  service.gateway.onStream = function* (call) {
    try {
      yield { sequence: 0, event: started(call) };
      for (; !call.signal.aborted; asked += 1) yield { sequence: asked + 1, event: text('x'.repeat(64_000)) };
    } finally {
      left.resolve();
    }
  };
  const { response } = await open(service);
  response.pause();
  await untilStuck(() => asked);
  clock.advance(STALLED_MS - 1);
  await quiet();
  expect(operationsOf(service)).toEqual([]);
  clock.advance(1);
  await left.promise;
  await until(() => operationsOf(service).length === 1);
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
