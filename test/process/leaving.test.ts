import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { YAML } from '../support/registry-yaml.ts';
import { type Service, startService } from '../support/running.ts';

const CHAT = 'mutation { chat(input: {prompt: "hello"}) { __typename } }';
const ANSWERED = { chat: { __typename: 'ChatSuccess' } };
/** Four starts, on a machine that may be busy with other tests. */
const RESTARTS_MS = 180_000;
/** Much longer than any of these tests may take: whoever ends sooner did not wait. */
const LONG_WAIT = { STORE: 'memory', DRAIN_WAIT_MS: '60000' };

async function isReady({ url }: Pick<Service, 'url'>): Promise<boolean> {
  const response = await fetch(`${url}/readyz`);
  await response.body?.cancel();
  return response.status === 200;
}

/** One chat by a client that keeps its connections: what it got, and whether it was told to let this one go. */
function chatOver(agent: Agent, { url }: Service): Promise<{ readonly connection: unknown; readonly data: unknown }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const sent = request(`${url}/graphql`, { method: 'POST', agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ connection: response.headers.connection, data: JSON.parse(text).data }));
    });
    sent.on('error', reject);
    sent.end(JSON.stringify({ query: CHAT }));
  });
}

describe('SIGTERM', () => {
  test('takes readiness away at once, while chats are served and clients that keep connections are told to let go', async () => {
    await using service = await startService(LONG_WAIT);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    expect(await chatOver(agent, service)).toEqual({ connection: 'keep-alive', data: ANSWERED });
    service.process.kill('SIGTERM');
    await eventually(async () => !(await isReady(service)));
    for (let sent = 0; sent < 3; sent += 1) {
      expect(await chatOver(agent, service)).toEqual({ connection: 'close', data: ANSWERED });
    }
    expect(service.said()).toContain('SIGTERM: not ready any more, but serving for 60 s');
    expect(await service.end('SIGTERM')).toBe(0);
    agent.destroy();
  });
});

describe('SIGINT', () => {
  test('does not wait for anybody to notice', async () => {
    await using service = await startService(LONG_WAIT);
    const startedAtMs = performance.now();
    expect(await service.end('SIGINT')).toBe(0);
    expect(performance.now() - startedAtMs).toBeLessThan(25_000);
  });

  test('a second one stops what still runs, and the service still ends in good order', async () => {
    // The mock answers after 20 s and more.
    await using service = await startService({ ...LONG_WAIT, MOCK_LATENCY_SCALE: '100' });
    const chat = service
      .ask('mutation { chat(input: {prompt: "hello", userId: "ann"}) { __typename } }')
      .catch(() => 'cut');
    // It is under way as soon as its money is held.
    const held = '{ budget(userId: "ann") { reservedUsd } }';
    await eventually(async () => !JSON.stringify(await service.ask(held)).includes('"0.00"'));
    service.process.kill('SIGINT');
    await eventually(async () => service.said().includes('SIGINT: finishing what runs'));
    expect(await service.end('SIGINT')).toBe(0);
    await chat;
    expect(service.logged()).toContainEqual(
      expect.objectContaining({ msg: 'stopping what still runs after the grace time' }),
    );
  });
});

/** Clients behind a load balancer that asks every replica for its readiness, and gives chats in turn to those that are ready. */
function startClients(countMax: number) {
  const replicas = new Set<Service>();
  const answers: unknown[] = [];
  let ready: readonly Service[] = [];
  let turn = 0;
  let isDone = false;
  const balance = async () => {
    while (!isDone) {
      const known = [...replicas];
      const areReady = await Promise.all(known.map((replica) => isReady(replica).catch(() => false)));
      ready = known.filter((_replica, place) => areReady[place]);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  const chat = async () => {
    while (!isDone) {
      const replica = ready[turn++ % ready.length];
      if (replica === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
      else answers.push(await replica.ask(CHAT).then(({ data, errors }) => data ?? errors, String));
    }
  };
  const running = Promise.all([balance(), ...Array.from({ length: countMax }, chat)]);
  return {
    replicas,
    answers,
    isUsed: (replica: Service) => ready.includes(replica),
    async stop() {
      isDone = true;
      await running;
    },
  };
}

test(
  'two replicas behind a load balancer are restarted one after the other, without one failed chat',
  async () => {
    await using stack = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'switchyard-leaving-'));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    // A mock with a limit that is not reached, and 100 ms for an answer.
    const file = join(folder, 'registry.yaml');
    await writeFile(file, YAML);
    const env = { STORE: 'memory', SWITCHYARD_CONFIG: file, DRAIN_WAIT_MS: '1500', MOCK_LATENCY_SCALE: '100' };
    const start = async () => stack.use(await startService(env));
    const clients = startClients(3);
    try {
      let replicas = await Promise.all([start(), start()]);
      for (const replica of replicas) clients.replicas.add(replica);
      await eventually(() => replicas.every(clients.isUsed));
      for (let restarted = 0; restarted < 2; restarted += 1) {
        const [oldest, other] = replicas;
        if (oldest === undefined || other === undefined) throw new RangeError('there are two');
        const before = clients.answers.length;
        expect(await oldest.end('SIGTERM')).toBe(0);
        clients.replicas.delete(oldest);
        const next = await start();
        clients.replicas.add(next);
        await eventually(() => clients.isUsed(next));
        expect(clients.answers.length).toBeGreaterThan(before);
        replicas = [other, next];
      }
    } finally {
      await clients.stop();
    }
    expect(clients.answers.length).toBeGreaterThan(20);
    expect(new Set(clients.answers.map((answer) => JSON.stringify(answer)))).toEqual(
      new Set([JSON.stringify(ANSWERED)]),
    );
  },
  RESTARTS_MS,
);
