import { expect, test } from 'vitest';
import { PARAMETERS } from '../../../src/core/registry.ts';
import { parseChatBody } from '../../../src/http/rest/chat-body.ts';
import { inRestWords } from '../../../src/http/rest/names.ts';
import { makeFakeGateway } from '../../fakes/gateway.ts';

const USER = { role: 'user', content: 'hi' };
const image = { type: 'image_url', image_url: { url: 'https://x.test/a.png', detail: 'low' } };
const gateway = makeFakeGateway();

function askedOf(body: object) {
  const parsed = parseChatBody({ messages: [USER], ...body }, {}, gateway);
  if (parsed.kind !== 'valid') throw new Error(JSON.stringify(parsed.issues));
  return parsed.asked;
}

test('what is inside of known fields and read by nobody is named, once', () => {
  const { warnings } = askedOf({
    messages: [
      { ...USER, name: 'ann', annotations: null },
      {
        role: 'user',
        name: 'bob',
        content: [{ type: 'text', text: 'a', cache_control: { type: 'ephemeral' } }, image],
      },
    ],
    tools: [{ type: 'function', function: { name: 'look', parameters: { type: 'object', color: 'red' } }, id: 1 }],
    stream_options: { include_obfuscation: false },
    metadata: { team: 'x' },
    stop: 'END',
    top_k: { deep: 1 },
  });
  expect(warnings).toEqual(
    ['messages[].name', 'messages[].content[].cache_control', 'tools[].id', 'stream_options.include_obfuscation'].map(
      (name) => `${name} was not sent: Switchyard does not pass it on.`,
    ),
  );
  expect(askedOf({}).warnings).toEqual([]);
});

test('of very many such fields the first are named, and the others counted', () => {
  const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, at) => [`f${at}`, at]));
  const { warnings } = askedOf({ messages: [{ ...USER, ...many }] });
  expect(warnings).toHaveLength(21);
  expect(warnings.at(-1)).toBe('980 more fields were not sent.');
});

test('messages that say nothing are left out, but for those of whoever asks', () => {
  const silent = ['system', 'developer', 'assistant'].flatMap((role) =>
    ['', ' ', null, []].map((content) => ({ role, content })),
  );
  expect(askedOf({ messages: [...silent, USER] }).request.prompt.messages).toHaveLength(1);
});

test.each(PARAMETERS)('a warning of %s says it in the words of this door', (parameter) => {
  expect(inRestWords(`${parameter} was not sent`)).not.toMatch(parameter === 'jsonObject' ? /^$/ : /[A-Z]/);
});
