import { createClient } from 'graphql-sse';
import OpenAI from 'openai';
import { expect, test } from 'vitest';
import type { StreamPiece } from '../../src/gateway/stream-log.ts';
import { KEY_A, KEY_B } from '../fakes/credentials.ts';
import { answered } from '../fakes/gateway-data.ts';
import { raw } from './raw.ts';
import { ask, type Service, startService } from './running-server.ts';

const EVENTS = 'subscription { breakerEvents { id } }';
const CHAT = 'mutation { chat(input: { prompt: "long" }) { __typename } }';

const closed = () => startService({ auth: 'keys', isGraphiqlOn: false });
const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });
const openai = (service: Service, apiKey: string) =>
  new OpenAI({ baseURL: `${service.url}/v1`, apiKey, maxRetries: 2 });

/** Chats that end only when their caller is gone. */
function holdChats({ gateway }: Service) {
  const begun = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  gateway.onChat = async (call) => {
    begun.resolve();
    await new Promise((resolve) => call.signal.addEventListener('abort', resolve));
    left.resolve();
    return answered(call, gateway.now());
  };
  gateway.onStream = async function* hold(call): AsyncGenerator<StreamPiece> {
    yield { sequence: 0, event: { kind: 'delta', delta: { kind: 'text', text: 'once upon' } } };
    begun.resolve();
    await new Promise((resolve) => call.signal.addEventListener('abort', resolve));
    left.resolve();
  };
  return { begun: begun.promise, left: left.promise };
}

test("a wrong key is an AuthenticationError to OpenAI's client, asked once, and a missing scope a PermissionDeniedError", async () => {
  await using service = await closed();
  const ask = (apiKey: string) =>
    openai(service, apiKey).chat.completions.create({ model: 'auto', messages: [{ role: 'user', content: 'hi' }] });
  await expect(ask('sy_wrong')).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
  await expect(ask('sy_wrong')).rejects.toMatchObject({ status: 401, code: 'unauthenticated' });
  expect(await service.parts.metrics.read()).toContain('switchyard_authentication_failures_total 2');
  const reader = service.gateway.credentials.give({ id: KEY_A, scopes: ['requests:read'] });
  await expect(ask(reader)).rejects.toBeInstanceOf(OpenAI.PermissionDeniedError);
  const good = service.gateway.credentials.give({ id: KEY_B });
  expect((await ask(good)).choices).toHaveLength(1);
});

test('when a key ends, its server-sent events end, and those of others go on', async () => {
  await using service = await closed();
  const { credentials } = service.gateway;
  const streams = [KEY_A, KEY_B].map((id) => {
    const headers = bearer(credentials.give({ id }));
    return createClient({ url: `${service.url}/graphql`, headers, retryAttempts: 0 }).iterate({ query: EVENTS });
  });
  const [ending, lasting] = streams;
  for (const stream of streams) await stream.next();
  credentials.end(KEY_A);
  const rest = (async () => {
    for await (const _event of ending!);
  })();
  await expect(rest).rejects.toThrow();
  await expect.poll(() => service.gateway.watcherCount()).toBe(1);
  service.gateway.change('openai', {});
  await expect.poll(async () => JSON.stringify(await lasting!.next())).toContain('"bev_000000000001"');
  await lasting!.return?.();
});

test('when a key ends, its stream over REST is cut, and the chat is told that its caller left', async () => {
  await using service = await closed();
  const secret = service.gateway.credentials.give({ id: KEY_A });
  const chat = holdChats(service);
  const stream = await openai(service, secret).chat.completions.create({
    model: 'auto',
    messages: [{ role: 'user', content: 'hi' }],
    stream: true,
  });
  const reading = (async () => {
    for await (const _chunk of stream);
  })();
  await chat.begun;
  service.gateway.credentials.end(KEY_A);
  await expect(reading).rejects.toThrow();
  await chat.left;
});

test('when a key ends, a chat that runs for it is told that its caller left', async () => {
  await using service = await closed();
  const headers = bearer(service.gateway.credentials.give({ id: KEY_A }));
  const chat = holdChats(service);
  const waiting = ask(service, CHAT, {}, { headers });
  const gone = expect(waiting).rejects.toThrow();
  await chat.begun;
  service.gateway.credentials.end(KEY_A);
  await gone;
  await chat.left;
});

test('a key that ends while its request is on the way has nothing run', async () => {
  await using service = await closed();
  const secret = service.gateway.credentials.give({ id: KEY_A });
  const body = JSON.stringify({ query: CHAT });
  const sending = raw(service, {
    headers: { 'content-type': 'application/json', 'content-length': String(body.length), ...bearer(secret) },
    send: (request) => void request.write(body.slice(0, 10)),
  });
  const gone = expect(sending).rejects.toThrow();
  await expect.poll(() => service.gateway.credentials.asked).toBe(1);
  service.gateway.credentials.end(KEY_A);
  await gone;
  expect(service.gateway.records).toEqual([]);
});
