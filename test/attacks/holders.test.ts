import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { later } from '../../src/core/time.ts';
import { apiKeyGlobalId } from '../../src/graphql/global-id.ts';
import { eventually } from '../support/eventually.ts';
import { connectAs, subscribe, WATCH } from './open-socket.ts';
import { type Attack, expectRepelled, named } from './repel.ts';
import { EVIL, EVIL_CHAT, EVIL_CHAT_DOCUMENT, JSON_TYPE, send } from './send.ts';
import { bearer, type GuardedTarget, HONEST, type NewKey, openGuardedTarget } from './target.ts';

const REST = '/v1/chat/completions';
/** By then a key that ended is cut off, by the clock of the gateway. */
const CUT_OFF_MS_MAX = 5_000;
const HELD = { messages: [{ role: 'user', content: HONEST }], provider: { only: ['two'] }, max_tokens: 100 };

let target: GuardedTarget;
beforeAll(async () => {
  target = await openGuardedTarget();
});
afterAll(async () => {
  target.expectHonestlyServed();
  await target[Symbol.asyncDispose]();
});

const as = ({ secret }: NewKey) => ({ ...JSON_TYPE, ...bearer(secret) });

const fetchAs = (key: NewKey, path: string, body: object, accept = '*/*') =>
  fetch(`${target.service.url}${path}`, {
    method: 'POST',
    headers: { ...as(key), accept },
    body: JSON.stringify(body),
  });

/** All that can be live with one key, and how each of it ends. */
async function liveWith(key: NewKey) {
  const { kit } = target.service;
  const socket = await connectAs(target, key);
  socket.socket.send(subscribe(WATCH));
  const events = await fetchAs(key, '/graphql', { query: WATCH }, 'text/event-stream');
  const before = kit.provider('two').calls.length;
  kit.provider('two').script({ kind: 'hang' });
  const broken = 'broken off';
  const chat = fetchAs(key, REST, HELD).then(
    ({ status }) => status,
    () => broken,
  );
  const stream = fetchAs(key, REST, { ...HELD, stream: true }).then(
    async (answer) => answer.text(),
    () => broken,
  );
  await eventually(async () => kit.provider('two').calls.length === before + 2);
  kit.provider('two').script({ kind: 'answer' });
  return {
    socket,
    ends: Promise.all([
      socket.ended.then(({ status }) => status),
      events.text().catch(() => broken),
      chat,
      stream.catch(() => broken),
    ]),
  };
}

describe('a key that ends while much is live', () => {
  test.each<readonly [string, number | null, (key: NewKey) => Promise<void>]>([
    ['because it was revoked', null, (key) => target.revoke(key)],
    ['by itself', CUT_OFF_MS_MAX / 2, async () => undefined],
  ])('%s, is cut off everywhere, and nothing that it sends is run', async (_name, worksMs, end) => {
    const { clock, gateway } = target.service.kit;
    const expiresAtMs = worksMs === null ? null : later(clock.now(), worksMs);
    // What these chats cost is the honest caller's: nobody else may have paid anything.
    const key = await target.makeKey({ userId: HONEST, expiresAtMs });
    const { socket, ends } = await liveWith(key);
    await end(key);
    const endings = Promise.race([ends, whileTimeGoesBy(CUT_OFF_MS_MAX)]);
    expect(await endings).toEqual([4403, 'broken off', 'broken off', 'broken off']);
    for (let id = 0; id < 10; id += 1) if (socket.socket.readyState === 1) socket.socket.send(EVIL);
    expect((await gateway.authenticate(key.secret)).kind).toBe('refused');
    await expectRepelled(target, ['', () => send(target, EVIL, as(key)), 401]);
  });

  test('has nothing run that it sends at the very moment, on a connection that was let in', async () => {
    const key = await target.makeKey();
    const socket = await connectAs(target, key);
    await target.revoke(key);
    target.service.kit.clock.advance(1_000);
    await eventually(async () => socket.socket.readyState !== 1);
    for (let id = 0; id < 20; id += 1) socket.socket.send(subscribe(EVIL_CHAT_DOCUMENT, `late-${id}`));
    expect((await socket.ended).status).toBe(4403);
    await target.expectUnharmed();
  });
});

/** The gateway's clock goes on by this much, a little at a time. */
async function whileTimeGoesBy(ms: number): Promise<never> {
  for (let gone = 0; gone < ms; gone += 250) {
    target.service.kit.clock.advance(250);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return new Promise(() => undefined);
}

describe('a key', () => {
  let chatter: NewKey;
  let reader: NewKey;
  beforeAll(async () => {
    chatter = await target.makeKey();
    reader = await target.makeKey({ scopes: ['requests:read'] });
  });
  const graphql = (key: () => NewKey, query: string) => send(target, JSON.stringify({ query }), as(key()));
  const attacks: readonly Attack[] = [
    [
      'that may only read chats',
      () => graphql(() => reader, 'mutation { chat(input: { prompt: "evil" }) { __typename } }'),
      200,
      /FORBIDDEN/,
    ],
    [
      'that may only read chats over REST',
      () => send(target, JSON.stringify({ messages: [{ role: 'user', content: 'evil' }] }), as(reader), REST),
      403,
      /forbidden/,
    ],
    [
      'that may only read begins a stream',
      () =>
        send(
          target,
          JSON.stringify({ query: 'subscription { chatStream(input: { prompt: "evil" }) { __typename } }' }),
          { ...as(reader), accept: 'text/event-stream' },
        ),
      200,
      /FORBIDDEN/,
    ],
    ['bills somebody else', () => graphql(() => chatter, EVIL_CHAT_DOCUMENT), 200, /chat:on-behalf-of/],
    [
      'bills somebody else for a stream',
      () =>
        send(target, JSON.stringify({ query: `subscription { ${EVIL_CHAT.replace('chat', 'chatStream')} }` }), {
          ...as(chatter),
          accept: 'text/event-stream',
        }),
      200,
      /chat:on-behalf-of/,
    ],
    [
      'makes another one',
      () =>
        graphql(() => chatter, 'mutation { createApiKey(input: { name: "evil", scopes: ["admin"] }) { __typename } }'),
      200,
      /FORBIDDEN/,
    ],
    [
      "ends the honest caller's",
      () =>
        graphql(
          () => chatter,
          `mutation { revokeApiKey(input: { apiKeyId: "${apiKeyGlobalId(target.honest.id)}" }) { __typename } }`,
        ),
      200,
      /FORBIDDEN/,
    ],
    [
      "replaces the honest caller's",
      () =>
        graphql(
          () => chatter,
          `mutation { rotateApiKey(input: { apiKeyId: "${apiKeyGlobalId(target.honest.id)}" }) { __typename } }`,
        ),
      200,
      /FORBIDDEN/,
    ],
    [
      'lifts its own budget',
      () =>
        graphql(() => chatter, 'mutation { setBudget(input: { userId: "mallory", limitUsd: "1000" }) { __typename } }'),
      200,
      /FORBIDDEN/,
    ],
    [
      'has providers fail',
      () =>
        graphql(() => chatter, 'mutation { simulateFailure(input: { providerId: "one", rate: 1 }) { __typename } }'),
      200,
      /FORBIDDEN/,
    ],
    [
      'switches providers off',
      () =>
        graphql(
          () => chatter,
          'mutation { setProviderEnabled(input: { providerId: "one", enabled: false }) { __typename } }',
        ),
      200,
      /FORBIDDEN/,
    ],
    ['lists keys', () => graphql(() => chatter, '{ apiKeys { nodes { id } } }'), 200, /FORBIDDEN/],
    ['reads the audit log', () => graphql(() => reader, '{ auditLog { nodes { id } } }'), 200, /FORBIDDEN/],
    [
      "looks at the honest caller's",
      () => graphql(() => reader, `{ node(id: "${apiKeyGlobalId(target.honest.id)}") { id } }`),
      200,
      /"node":null/,
    ],
    ['reads meters', () => send(target, '', as(chatter), '/metrics'), [403, 405]],
  ];
  test.each(named(attacks))('%s in vain', (_name, attack) => expectRepelled(target, attack));
});
