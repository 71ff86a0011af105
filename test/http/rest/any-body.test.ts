import { ok } from 'node:assert/strict';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseChatBody } from '../../../src/http/rest/chat-body.ts';
import { CHAT_SHAPE } from '../../../src/http/rest/chat-shape.ts';
import { PROVIDER_WISHES } from '../../../src/http/rest/provider-wishes.ts';
import { makeFakeGateway } from '../../fakes/gateway.ts';

const gateway = makeFakeGateway();
const USER = { role: 'user', content: 'hi' };

/** Words that a JSON body can hold and that every object has. */
const NATIVE = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];

const value = fc.oneof(fc.jsonValue(), fc.constantFrom(...NATIVE), fc.constantFrom(1e-300, -1, 1e300, '1', '', ' '));

const part = fc.record(
  { type: fc.constantFrom('text', 'image_url', 'refusal', 'x'), text: value, image_url: value, refusal: value },
  { requiredKeys: [] },
);
const call = fc.record({ id: value, type: value, function: fc.record({ name: value, arguments: value }) });
const message = fc.record(
  {
    role: fc.constantFrom('system', 'user', 'assistant', 'tool', 'x'),
    content: fc.oneof(value, fc.array(part)),
    tool_calls: fc.oneof(value, fc.array(call)),
    tool_call_id: value,
  },
  { requiredKeys: [] },
);

/** Some of the fields of a body, each with whatever JSON can say. */
function someOf(names: readonly string[]) {
  return fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.constantFrom(...NATIVE, 'unheard_of')), value, {
    maxKeys: 6,
  });
}

const body = fc
  .tuple(
    someOf(Object.keys(CHAT_SHAPE.shape)),
    someOf(Object.keys(PROVIDER_WISHES.shape)),
    fc.array(message),
    fc.boolean(),
  )
  .map(([fields, provider, messages, isSane]) => ({
    ...fields,
    provider,
    messages: isSane ? [USER] : messages,
  }));

test('whatever a body says, it is understood or every problem has a name and words', () => {
  fc.assert(
    fc.property(body, (given) => {
      // As it comes over the wire: with keys that are only a body's own.
      const parsed = parseChatBody(JSON.parse(JSON.stringify(given)), {}, gateway);
      if (parsed.kind === 'valid') return;
      ok(parsed.issues.length > 0);
      for (const { param, message: words } of parsed.issues)
        ok(param !== '' && words !== '', JSON.stringify(parsed.issues));
    }),
    { numRuns: 3_000 },
  );
});

test('words that every object has are fields like any other', () => {
  const text = '{"messages": [{"role": "user", "content": "hi"}], "provider": {"toString": 1, "constructor": 2}}';
  const parsed = parseChatBody(JSON.parse(text), {}, gateway);
  expect(parsed.kind === 'invalid' && parsed.issues.map(({ param }) => param)).toEqual([
    'provider.toString',
    'provider.constructor',
  ]);
});
