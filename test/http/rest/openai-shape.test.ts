import { expect, test } from 'vitest';
import { answered, COST, DECISION, endingsAt, TIMING } from '../../fakes/gateway-data.ts';
import {
  chunkFaults,
  completionFaults,
  errorChunkFaults,
  errorFaults,
  modelListFaults,
} from '../../support/openai-oracle.ts';
import { startService } from '../running-server.ts';
import { CHAT, chunksOf, EXPLAINED, post, said } from './rest-kit.ts';
import { ended, failed, play, STREAM, started, text, WITH_USAGE } from './stream-kit.ts';

// Whatever the door sends is judged by OpenAI's rules, or by a published copy of its API description: see CONTRIBUTING.md.

const CALL = { id: 'c1', name: 'look', arguments: '{"at":1}' };
const TOKEN = { token: 'hi', logprob: -0.1, bytes: null, top_logprobs: [] };

test('answers', async () => {
  await using service = await startService();
  const faultsOf = async (over: object, headers = {}) => {
    service.gateway.onChat = (call) => {
      const outcome = answered(call, service.gateway.now());
      return { ...outcome, answer: { ...outcome.answer, ...over } };
    };
    return completionFaults(await (await post(service, said('hi'), { headers })).json());
  };
  expect(await faultsOf({})).toEqual([]);
  expect(await faultsOf({}, EXPLAINED)).toEqual([]);
  expect(await faultsOf({ text: null, toolCalls: [CALL], finishReason: 'toolCalls' })).toEqual([]);
  expect(await faultsOf({ text: null, refusal: 'No.', finishReason: 'contentFilter' })).toEqual([]);
  expect(await faultsOf({ logprobs: { content: [TOKEN], refusal: null }, finishReason: 'length' })).toEqual([]);
});

test('streams, with and without usage, and what breaks off', async () => {
  await using service = await startService();
  const chunks = async (body: object, headers = {}) => chunksOf(await (await post(service, body, { headers })).text());
  play(service, (call) => [
    started(call),
    { kind: 'delta', delta: { kind: 'reasoning', text: 'hm' } },
    text('Hello'),
    { kind: 'delta', delta: { kind: 'toolCall', index: 0, id: 'c1', name: 'look', argumentsChunk: null } },
    { kind: 'delta', delta: { kind: 'toolCall', index: 0, id: null, name: null, argumentsChunk: '{}' } },
    ended(service, call),
  ]);
  for (const [body, count] of [
    [STREAM, 5],
    [WITH_USAGE, 6],
  ] as const) {
    const told = await chunks(body, EXPLAINED);
    expect(told).toHaveLength(count);
    expect(told.flatMap(chunkFaults)).toEqual([]);
  }
  play(service, (call) => [started(call), text('Hel'), failed(service, call, 'allProvidersFailed')]);
  const [piece, error] = await chunks(STREAM);
  expect([...chunkFaults(piece), ...errorChunkFaults(error)]).toEqual([]);
});

test('refusals of every kind', async () => {
  await using service = await startService();
  const faultsOf = async (response: Response) => {
    expect(response.status).toBeGreaterThanOrEqual(400);
    return errorFaults(await response.json());
  };
  for (const why of Object.values(endingsAt(service.gateway.now()))) {
    service.gateway.onChat = ({ requestId }) => {
      return { kind: 'ended', requestId, why, routing: DECISION, cost: COST, timing: TIMING };
    };
    expect(await faultsOf(await post(service, said('hi')))).toEqual([]);
  }
  expect(await faultsOf(await post(service, '{'))).toEqual([]);
  expect(await faultsOf(await post(service, { messages: 'hi', n: 2 }))).toEqual([]);
  expect(await faultsOf(await post(service, said('hi'), { path: '/v1/embeddings' }))).toEqual([]);
  expect(await faultsOf(await fetch(`${service.url}${CHAT}`))).toEqual([]);
  expect(await faultsOf(await fetch(`${service.url}/v1/models/none`))).toEqual([]);
});

test('the list of models, and each of them', async () => {
  await using service = await startService();
  const json = async (path: string) => JSON.parse(await (await fetch(`${service.url}${path}`)).text());
  const list = await json('/v1/models');
  expect(modelListFaults(list)).toEqual([]);
  const each = await Promise.all(list.data.map(({ id }: { readonly id: string }) => json(`/v1/models/${id}`)));
  expect(each).toEqual(list.data);
});
