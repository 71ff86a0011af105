import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { runCommand } from '../support/run-command.ts';

type Act = (response: ServerResponse) => void;

const STARTED = { __typename: 'ChatStarted', sequence: 0, requestId: 'req_1' };
const DELTA = { __typename: 'ChatDelta', sequence: 1, content: 'half' };
const CANCELLED = {
  __typename: 'ChatFailed',
  sequence: 2,
  costUsd: '0.02',
  error: { code: 'CANCELLED', message: 'It was stopped.' },
};
const COMPLETED = {
  __typename: 'ChatCompleted',
  sequence: 2,
  result: {
    content: 'half and whole',
    modelName: 'm',
    provider: { key: 'p' },
    cost: { totalUsd: '0.01' },
    budget: null,
    timing: { totalMs: 10 },
    request: { id: 'req_1' },
    routing: { summary: 'p answered.' },
  },
};

const tell = (response: ServerResponse, ...events: readonly object[]) => {
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const chatStream of events) response.write(`event: next\ndata: ${JSON.stringify({ data: { chatStream } })}\n\n`);
};
const complete: Act = (response) => response.end('event: complete\n\n');

const refuse =
  (code: string, extensions: object = {}): Act =>
  (response) => {
    const errors = [{ message: 'No.', extensions: { code, ...extensions } }];
    response.writeHead(503, { 'content-type': 'application/json' }).end(JSON.stringify({ errors }));
  };
const proxyFails: Act = (response) =>
  void response.writeHead(502, { 'content-type': 'text/html' }).end('<html>Bad Gateway</html>');

/** A gateway that does one act for each subscription, the last one again and again. */
async function openGateway(...acts: readonly Act[]) {
  const cancelled: string[] = [];
  const asked: (number | null)[] = [];
  let cancelling: Act = (response) =>
    void response.end(JSON.stringify({ data: { cancelChat: { __typename: 'CancelChatSuccess' } } }));
  const server = createServer(async (request, response) => {
    const { query, variables } = JSON.parse(await text(request));
    if (query.startsWith('mutation')) {
      cancelled.push(variables.input.requestId);
      return cancelling(response);
    }
    const act = acts[Math.min(asked.length, acts.length - 1)]!;
    asked.push(variables.after);
    act(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    env: { SWITCHYARD_URL: url },
    asked,
    cancelled,
    onCancel: (act: Act) => {
      cancelling = act;
    },
    [Symbol.dispose]: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

test('an answer is joined again through moments in which the gateway, or a proxy before it, takes nothing', async () => {
  using gateway = await openGateway(
    (response) => {
      tell(response, STARTED, DELTA);
      setImmediate(() => response.destroy());
    },
    refuse('OVERLOADED', { retryAfterMs: 10 }),
    proxyFails,
    refuse('SHUTTING_DOWN', { retryAfterMs: 10 }),
    (response) => {
      tell(response, COMPLETED);
      complete(response);
    },
  );
  const { code, stdout, stderr } = await runCommand(['chat', 'hello'], gateway);
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'half\n' });
  expect(gateway.asked).toEqual([null, 1, 1, 1, 1]);
  expect(stderr).toContain('(OVERLOADED: trying again)');
}, 20_000);

test('what cannot succeed is not tried again, and is told by its code', async () => {
  for (const [act, told] of [
    [refuse('UNAUTHENTICATED'), 'UNAUTHENTICATED: No.\n'],
    [proxyFails, /^UNREACHABLE: .* does not answer as a gateway does: status 502\.\n$/],
  ] as const) {
    using gateway = await openGateway(act);
    expect(await runCommand(['chat', 'hello'], gateway)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: typeof told === 'string' ? told : expect.stringMatching(told),
    });
    expect(gateway.asked).toHaveLength(1);
    expect((await runCommand(['keys', 'list'], gateway)).stderr).toMatch(/^(REFUSED|UNREACHABLE|UNAUTHENTICATED): /);
  }
});

test('Ctrl-C before the answer begins stops it when it does, and tells what was spent', async () => {
  let stream: ServerResponse | null = null;
  using gateway = await openGateway((response) => {
    stream = response;
  });
  gateway.onCancel((response) => {
    tell(stream!, CANCELLED);
    complete(stream!);
    response.end(JSON.stringify({ data: { cancelChat: { __typename: 'CancelChatSuccess' } } }));
  });
  let interrupt = () => {};
  const running = runCommand(['chat', 'hello'], {
    ...gateway,
    onListening: (act) => {
      interrupt = act;
    },
  });
  await eventually(async () => stream !== null);
  interrupt();
  tell(stream!, STARTED);
  const { code, stderr } = await running;
  expect(gateway.cancelled).toEqual(['req_1']);
  expect(code).toBe(1);
  expect(stderr).toContain('stopped as soon as it begins');
  expect(stderr).toMatch(/CANCELLED: It was stopped\. \$0\.02 was spent\.\n$/);
});

test('a second Ctrl-C leaves at once, and does not say that the chat has stopped', async () => {
  using gateway = await openGateway((response) => tell(response, STARTED, DELTA));
  // A gateway that says nothing any more.
  gateway.onCancel(() => undefined);
  const { code, stderr } = await runCommand(['chat', 'hello'], {
    ...gateway,
    onPrint: (interrupt) => {
      interrupt();
      interrupt();
    },
  });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^CANCELLED: Left before the end: req_1 may run on at the gateway, and is then paid for\.\n$/);
});

test('whoever asks for a stop while the gateway takes nothing has spent nothing, and asks no more', async () => {
  using gateway = await openGateway(refuse('STORE_UNAVAILABLE', { retryAfterMs: 10 }));
  const ended = await runCommand(['chat', 'hello'], { ...gateway, onListening: (interrupt) => interrupt() });
  expect(ended.stderr).toMatch(/CANCELLED: Stopped before it began: nothing was spent\.\n$/);
  expect(gateway.asked).toHaveLength(1);
});
