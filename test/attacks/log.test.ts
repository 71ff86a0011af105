import { afterAll, beforeAll, expect, test } from 'vitest';
import { bytes, send } from './send.ts';
import { openTarget, type Target } from './target.ts';

let target: Target;
beforeAll(async () => {
  target = await openTarget();
});
afterAll(() => target[Symbol.asyncDispose]());

const LINE = '{"level":"info","message":"forged"}';
const FORGED = `\r\n${LINE}\r\n\u001b[2J\u001b[31m\u0000\u0085\u2028\u202e`;

/** What a line of the log is longer than only if somebody else decides how long it is. */
const LINE_BYTES_MAX = 4_096;

test.each([
  [
    'the name of a user',
    (text: string) =>
      JSON.stringify({
        query: 'mutation ($i: ChatInput!) { chat(input: $i) { __typename } }',
        variables: { i: { prompt: 1, userId: text } },
      }),
  ],
  [
    'the name of an operation',
    (text: string) => JSON.stringify({ query: 'query A { __typename } query B { __typename }', operationName: text }),
  ],
  ['a comment', (text: string) => JSON.stringify({ query: `#${text}\n{ nobody }` })],
  [
    'the name of a provider',
    (text: string) =>
      JSON.stringify({ query: 'query ($id: ID!) { provider(id: $id) { key } }', variables: { id: text } }),
  ],
  ['the name of a parameter', (text: string) => JSON.stringify({ query: '{ __typename }', [text]: 1 })],
  ['a document that is none', (text: string) => text],
])('nobody writes a line of the log by %s', async (_name, body) => {
  const before = target.service.lines.length;
  await send(target, body(FORGED));
  await send(target, body(FORGED.repeat(5_000)));
  await target.expectUnharmed();
  const written = target.service.lines.slice(before);
  expect(written.length).toBeGreaterThan(0);
  for (const line of written) expectWhole(line);
});

test('nor by a header or a path', async () => {
  const before = target.service.lines.length;
  const marks = '\x1b[31m%0d%0aforged';
  const request = `GET /nowhere${'%0d%0aforged'} HTTP/1.1\r\nhost: localhost\r\nx-request-id: ${marks}\r\nx-client-request-id: ${marks}\r\nuser-agent: ${marks}\r\nconnection: close\r\n\r\n`;
  const { text } = await bytes(target, request);
  expect(text).not.toContain('\x1b');
  await bytes(
    target,
    request.replace('GET /nowhere%0d%0aforged', 'GET /graphql?query=%7B__typename%7D&operationName=%0d%0aforged'),
  );
  for (const line of target.service.lines.slice(before)) expectWhole(line);
  await target.expectUnharmed();
});

/** One object of JSON on one line, with no sign in it that a terminal would obey. */
function expectWhole(line: string): void {
  expect(line.indexOf('\n')).toBe(line.length - 1);
  expect(Object.keys(JSON.parse(line))).toContain('msg');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
  expect(line.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u202e]/);
  expect(Buffer.byteLength(line)).toBeLessThan(LINE_BYTES_MAX);
}
