import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectAs, openSocket, type Socket, subscribe, WATCH } from './open-socket.ts';
import { expectRepelled } from './repel.ts';
import { JSON_TYPE, send } from './send.ts';
import { bearer, type GuardedTarget, HONEST, openGuardedTarget, REPLY_BYTES_MAX, SOCKETS_PER_KEY } from './target.ts';

const CHAT_AT_TWO = `mutation { chat(input: { prompt: "${HONEST}", routing: { only: ["two"] } }) { __typename ... on ApiError { code } } }`;

let target: GuardedTarget;
beforeAll(async () => {
  target = await openGuardedTarget();
});
afterAll(async () => {
  target.expectHonestlyServed();
  await target[Symbol.asyncDispose]();
});

const as = ({ secret }: { readonly secret: string }) => ({ ...JSON_TYPE, ...bearer(secret) });

describe('floods of one key', () => {
  test('of chats: as many as it may have in a minute, and no more', async () => {
    const limits = { requestsPerMinute: 5, tokensPerMinute: null, concurrency: null };
    const key = await target.makeKey({ userId: HONEST, limits });
    const { calls } = target.service.kit.provider('two');
    const before = calls.length;
    const replies = await Promise.all(
      Array.from({ length: 300 }, () => send(target, JSON.stringify({ query: CHAT_AT_TWO }), as(key))),
    );
    expect(calls.length - before).toBe(5);
    expect(replies.filter(({ text }) => text.includes('ChatSuccess'))).toHaveLength(5);
    expect(replies.filter(({ text }) => text.includes('RATE_LIMITED') || text.includes('OVERLOADED'))).toHaveLength(
      295,
    );
    for (const { text } of replies) expect(Buffer.byteLength(text)).toBeLessThan(REPLY_BYTES_MAX);
    await target.expectUnharmed();
  });

  test('of connections: it has its own, and others theirs', async () => {
    const key = await target.makeKey();
    const sockets: Socket[] = [];
    for (let count = 0; count < 2 * SOCKETS_PER_KEY; count += 1) sockets.push(await connectAs(target, key));
    const refused = await Promise.all(sockets.slice(SOCKETS_PER_KEY).map(({ ended }) => ended));
    expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([1013]));
    expect(sockets.filter(({ heard }) => heard.length > 0)).toHaveLength(SOCKETS_PER_KEY);
    const honest = await connectAs(target, target.honest);
    expect(honest.heard[0]).toContain('connection_ack');
    for (const { socket } of [...sockets, honest]) socket.terminate();
    await target.expectUnharmed();
  });

  test('of subscriptions: the honest caller still has one', async () => {
    const key = await target.makeKey();
    const sockets: Socket[] = [];
    for (let count = 0; count < 10; count += 1) {
      const opened = await connectAs(target, key);
      sockets.push(opened);
      for (let id = 0; id < 50; id += 1) opened.socket.send(subscribe(WATCH, `op-${id}`));
    }
    const refused = () => sockets.flatMap(({ heard }) => heard).filter((text) => text.includes('TOO_MANY_WATCHERS'));
    await expect.poll(() => refused().length, { timeout: 10_000 }).toBeGreaterThan(300);
    const honest = await connectAs(target, target.honest);
    honest.socket.send(subscribe('subscription { breakerEvents { snapshot } }'));
    await honest.hears(2);
    expect(honest.heard[1]).toContain('"snapshot":true');
    for (const { socket } of [...sockets, honest]) socket.terminate();
    await target.expectUnharmed();
  });

  test('of operations on one connection: fifty at once', async () => {
    const { socket, heard, hears } = await connectAs(target, await target.makeKey());
    for (let id = 0; id < 80; id += 1) socket.send(subscribe(WATCH, `op-${id}`));
    await hears(1 + 30);
    expect(heard.slice(1).filter((text) => !text.includes('at most 50 operations'))).toEqual([]);
    socket.terminate();
    await target.expectUnharmed();
  });

  test('of those who say nothing of themselves: whoever does is let in', async () => {
    const silent = Array.from({ length: 600 }, () => openSocket(target));
    await Promise.all(silent.map(({ socket }) => new Promise((resolve) => socket.once('open', resolve))));
    const honest = await connectAs(target, target.honest);
    expect(honest.heard[0]).toContain('connection_ack');
    for (const { socket } of [...silent, honest]) socket.terminate();
    await target.expectUnharmed();
  });
});

describe('a connection is closed', () => {
  const padded = (length: number) => ({ type: 'ping', payload: { padding: 'x'.repeat(length) } });
  test.each<readonly [string, readonly object[]]>([
    ['by more than 64 kB before it is said who comes', [padded(66_000)]],
    ['by the same in pieces', Array.from({ length: 40 }, () => padded(2_000))],
  ])('%s', async (_name, frames) => {
    const { socket, ended } = openSocket(target);
    socket.once('open', () => {
      for (const frame of frames) socket.send(JSON.stringify(frame));
    });
    await expectRepelled(target, ['', () => ended, 1009]);
  });

  test('by a frame of more than 256 kB with a key', async () => {
    const { socket, ended } = await connectAs(target, await target.makeKey());
    socket.send(subscribe(`{ ${'x'.repeat(262_144)} }`));
    await expectRepelled(target, ['', () => ended, 1009]);
  });
});
