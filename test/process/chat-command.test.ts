import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { runCommand } from '../support/run-command.ts';
import { type Service, startService } from '../support/running.ts';
import { openWay } from '../support/way.ts';

// Slow enough to be broken off: a second or two from the first word to the last.
const PATIENT = { STORE: 'memory', MOCK_LATENCY_SCALE: '8' };
const PROMPT = 'Write a haiku about railways';
const TEXT = /^Mock response from (\w+): Write a haiku about railways\.\.\.\n$/;

let service: Service;
let at: Record<string, string>;
beforeAll(async () => {
  service = await startService(PATIENT);
  at = { SWITCHYARD_URL: service.url };
});
afterAll(() => service[Symbol.asyncDispose]());

/** How often providers were called so far, and what they cost. */
async function totals() {
  const { data } = await service.ask('{ analytics { totals { requests attempts costUsd } } }');
  return JSON.parse(JSON.stringify(data)).analytics.totals;
}

test('an answer comes piece by piece; who answered, what it cost and why is told beside it', async () => {
  let pieces = 0;
  const onPrint = () => {
    pieces += 1;
  };
  const { code, stdout, stderr } = await runCommand(['chat', '--user', 'ann', PROMPT], { env: at, onPrint });
  expect(code).toBe(0);
  expect(stdout).toMatch(TEXT);
  expect(pieces).toBeGreaterThan(5);
  expect(stderr).toMatch(
    /^\n\w+\/\S+ {2}\$0\.0\d+, \$0\.9\d+ left {2}\d+\.\d s {2}req_\S+\n.+ answered a writing prompt; .+\n$/,
  );
});

test('one object at the end is for programs, and the prompt may come on standard input', async () => {
  const { code, stdout, stderr } = await runCommand(['chat', '--json', '--model', 'openai/gpt-5.1', '-'], {
    env: at,
    input: PROMPT,
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(stdout)).toMatchObject({
    content: expect.stringContaining(PROMPT),
    provider: { key: 'openai' },
    cost: { totalUsd: expect.any(String) },
    usage: { inputTokens: 7 },
  });
});

test('nothing that a model writes is obeyed by the terminal', async () => {
  const evil = '\u001b[2J\u009bred\u202e';
  const { stdout } = await runCommand(['chat', evil], { env: at, isPiped: false });
  expect(stdout).toMatch(/: \?\[2J\?red\?\.\.\.\n$/);
  // A file gets what was written.
  expect((await runCommand(['chat', evil], { env: at })).stdout).toContain(`: ${evil}...`);
});

test('a connection that breaks is made again, and the answer goes on where it was, paid for once', async () => {
  await using way = await openWay(service.url);
  const before = await totals();
  let cuts = 0;
  const onPrint = () => {
    cuts += 1;
    if (cuts === 2) void way.cut().then(() => way.mend());
  };
  const { code, stdout, stderr } = await runCommand(['chat', PROMPT], {
    env: { SWITCHYARD_URL: way.url.replace(/\/$/, '') },
    onPrint,
  });
  expect(code).toBe(0);
  expect(stdout).toMatch(TEXT);
  expect(stderr).toContain('joining the answer again');
  const after = await totals();
  expect(after.attempts - before.attempts).toBe(1);
  expect(after.requests - before.requests).toBe(1);
});

test('Ctrl-C stops the chat at the gateway, and tells what was spent', async () => {
  const { code, stderr } = await runCommand(['chat', PROMPT], { env: at, onPrint: (interrupt) => interrupt() });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^CANCELLED: .*\$0\.0\d+ was spent\.\n$/);
  await eventually(async () => {
    const { data } = await service.ask('{ requests(first: 1) { nodes { status } } }');
    return JSON.stringify(data).includes('"CANCELLED"');
  });
});

test('an error is one line with its code and what to do, or one object', async () => {
  const wrong = await runCommand(['chat', '--model', 'no-such-model', PROMPT], { env: at });
  expect(wrong).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^INVALID_INPUT: [^\n]+\n$/) });
  const json = await runCommand(['chat', '--json', '--model', 'no-such-model', PROMPT], { env: at });
  expect(json).toMatchObject({ code: 1, stderr: '' });
  expect(JSON.parse(json.stdout)).toMatchObject({ error: { code: 'INVALID_INPUT', message: expect.any(String) } });
  const way = await openWay(service.url);
  await way.cut();
  const nobody = await runCommand(['chat', PROMPT], { env: { SWITCHYARD_URL: way.url.replace(/\/$/, '') } });
  expect(nobody).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^UNREACHABLE: .*SWITCHYARD_URL says where/),
  });
  expect(await runCommand(['chat'], { env: at })).toMatchObject({ code: 2, stdout: '' });
});
