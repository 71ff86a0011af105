import { expect, test } from 'vitest';
import type { ChatCall } from '../../src/gateway/gateway.ts';
import { answered } from '../fakes/gateway-data.ts';
import { ask, startService } from '../http/running-server.ts';

const CHAT = `mutation Chat($input: ChatInput!) { chat(input: $input) {
  ... on ChatSuccess { content finishReason message { content toolCalls { id name arguments } } }
  ... on InvalidInputError { code issues { path message } }
} }`;

const TOOL = {
  name: 'weather',
  description: 'Tells it.',
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
};
const CALL = { id: 'call_1', name: 'weather', arguments: '{"city":"Oslo"}' };

test('a model’s tool calls come back as data, and what came of them goes to the next turn', async () => {
  await using service = await startService();
  const calls: ChatCall[] = [];
  service.gateway.onChat = (call) => {
    calls.push(call);
    const outcome = answered(call, service.gateway.now());
    return { ...outcome, answer: { ...outcome.answer, text: null, toolCalls: [CALL], finishReason: 'toolCalls' } };
  };
  const messages = [
    { role: 'USER', content: 'How warm is it in Oslo?' },
    { role: 'ASSISTANT', toolCalls: [CALL] },
    { role: 'TOOL', toolCallId: 'call_1', content: '-3 degrees' },
  ];
  const input = { messages, tools: [TOOL], toolChoice: { mode: 'REQUIRED' } };
  const { data } = await ask(service, CHAT, { input });
  expect(data.chat).toEqual({
    content: null,
    finishReason: 'TOOL_CALLS',
    message: { content: null, toolCalls: [CALL] },
  });
  expect(calls[0]?.request.prompt).toMatchObject({
    messages: [
      { role: 'user' },
      { role: 'assistant', parts: [], toolCalls: [CALL] },
      { role: 'tool', toolCallId: 'call_1', parts: [{ kind: 'text', text: '-3 degrees' }] },
    ],
    tools: { tools: [{ name: 'weather', parameters: TOOL.parameters }], choice: { kind: 'required' } },
  });
});

test('an answer can be asked for in JSON, with or without a schema', async () => {
  await using service = await startService();
  const formats: unknown[] = [];
  service.gateway.onChat = (call) => {
    formats.push(call.request.prompt.responseFormat);
    return answered(call, service.gateway.now());
  };
  const schema = { type: 'object', properties: {} };
  for (const responseFormat of [{ jsonObject: true }, { jsonSchema: { name: 'place', schema } }]) {
    await ask(service, CHAT, { input: { prompt: 'hi', responseFormat } });
  }
  expect(formats).toEqual([
    { kind: 'json' },
    { kind: 'jsonSchema', name: 'place', description: null, schema, isStrict: true },
  ]);
});

test('what is wrong with a tool is told by its place', async () => {
  await using service = await startService();
  const { data } = await ask(service, CHAT, { input: { prompt: 'hi', tools: [{ name: 'get weather' }] } });
  expect(data.chat).toMatchObject({ code: 'INVALID_INPUT', issues: [{ path: ['tools', '0', 'name'] }] });
});
