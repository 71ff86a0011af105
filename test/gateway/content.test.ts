import { expect, test } from 'vitest';
import { apiKeyId } from '../../src/core/ids.ts';
import type { Scope } from '../../src/core/scope.ts';
import { ADMIN_CALLER, type Caller, NOBODY, OPEN_CALLER } from '../../src/gateway/caller.ts';
import { CONTENTS_WAITING_MAX } from '../../src/gateway/contents.ts';
import { makeMemoryStore } from '../../src/store/memory/store.ts';
import { makeFakeClock } from '../fakes/clock.ts';
import { openService } from '../http/rest/rest-kit.ts';
import { keyed } from '../support/callers.ts';
import { type GatewayKit, makeGatewayKit, quiet, REPLICA } from '../support/gateway-kit.ts';
import { PRICED } from './priced-registry.ts';

const DAY_MS = 86_400_000;
const HELLO = { prompt: 'hello', userId: 'ann', routing: { only: ['a'] } };

function keyOf(scopes: readonly Scope[], userId: string): Caller {
  return keyed(scopes, { id: apiKeyId(`key-of-${userId}`), userId });
}

/** Chats once, and asks for the request as the log has it. */
async function chatted(kit: GatewayKit, raw: Parameters<GatewayKit['chat']>[0] = HELLO) {
  const { requestId } = await kit.chat(raw);
  await quiet();
  const view = await kit.gateway.findAnswered(requestId);
  if (view === null) throw new Error('it was not recorded');
  return view;
}

test('by default nothing of a prompt or an answer is kept, and nobody can read one', async () => {
  await using kit = makeGatewayKit({ registry: PRICED });
  const view = await chatted(kit);
  expect(await kit.store.findContent(view.id)).toBeNull();
  expect(await kit.gateway.contentOf(view, OPEN_CALLER)).toBeNull();
});

test('where it is wanted it is kept for its days, and then deleted by itself', async () => {
  await using kit = makeGatewayKit({ registry: PRICED, contentKeptDays: 2 });
  const view = await chatted(kit);
  expect(await kit.gateway.contentOf(view, OPEN_CALLER)).toMatchObject({ prompt: 'hello', answer: 'answer of m-a' });
  kit.clock.advance(2 * DAY_MS);
  await quiet();
  kit.clock.advance(60_000);
  await quiet();
  expect(await kit.gateway.contentOf(view, OPEN_CALLER)).toBeNull();
  expect(await kit.store.forgetContent(10)).toBe(0);
});

test('it is not kept for longer than the request itself', async () => {
  await using kit = makeGatewayKit({ registry: PRICED, contentKeptDays: 365 });
  const view = await chatted(kit);
  kit.clock.advance(90 * DAY_MS - 1);
  expect(await kit.gateway.contentOf(view, OPEN_CALLER)).not.toBeNull();
  kit.clock.advance(1);
  expect(await kit.gateway.contentOf(view, OPEN_CALLER)).toBeNull();
});

test('a request without an answer is kept with its prompt alone', async () => {
  await using kit = makeGatewayKit({ registry: PRICED, contentKeptDays: 1 });
  kit.provider('a').script({ kind: 'fail', failure: { kind: 'rejected' } });
  const view = await chatted(kit);
  expect(await kit.gateway.contentOf(view, OPEN_CALLER)).toMatchObject({ prompt: 'hello', answer: null });
});

test('only who has the scope and may see the request reads it', async () => {
  await using kit = makeGatewayKit({ registry: PRICED, contentKeptDays: 1 });
  const view = await chatted(kit);
  const asked: readonly (readonly [Caller, boolean])[] = [
    [OPEN_CALLER, true],
    [ADMIN_CALLER, true],
    [keyOf(['requests:read', 'content:read'], 'ann'), true],
    [keyOf(['requests:read-all', 'content:read'], 'bob'), true],
    [keyOf(['requests:read'], 'ann'), false],
    [keyOf(['content:read'], 'ann'), false],
    [keyOf(['requests:read-all'], 'bob'), false],
    [keyOf(['requests:read', 'content:read'], 'bob'), false],
    [NOBODY, false],
  ];
  for (const [caller, isShown] of asked) {
    expect([caller, (await kit.gateway.contentOf(view, caller)) !== null]).toEqual([caller, isShown]);
  }
});

test('a store that takes nothing costs the caller no answer and no time, and no more than a few wait for it', async () => {
  const clock = makeFakeClock();
  const store = makeMemoryStore({ registry: PRICED, now: clock.now, replica: REPLICA });
  const stuck = Promise.withResolvers<void>();
  let asked = 0;
  const keepContent = () => {
    asked += 1;
    return stuck.promise;
  };
  await using kit = makeGatewayKit({ registry: PRICED, contentKeptDays: 1, store: { ...store, keepContent } });
  for (let sent = 0; sent < CONTENTS_WAITING_MAX + 5; sent += 1) {
    expect((await kit.chat({ prompt: 'hello', routing: { only: ['a'] } })).kind).toBe('answered');
  }
  expect(asked).toBe(CONTENTS_WAITING_MAX);
  stuck.reject(new Error('the store went away'));
  await quiet();
  await kit.chat({ prompt: 'hello', routing: { only: ['a'] } });
  expect(asked).toBe(CONTENTS_WAITING_MAX + 1);
});

const REQUESTS = '{ gateway { contentRecording } requests { nodes { promptText answerText } } }';

test.each([
  [null, { contentRecording: false }, { promptText: null, answerText: null }],
  [1, { contentRecording: true }, { promptText: 'hello', answerText: 'answer of m-a' }],
])('the API tells of it: kept for %s days', async (days, gateway, node) => {
  await using service = await openService({ registry: PRICED, ...(days === null ? {} : { contentKeptDays: days }) });
  await chatted(service.kit);
  const response = await fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: REQUESTS }),
  });
  expect(await response.json()).toMatchObject({ data: { gateway, requests: { nodes: [node] } } });
});
