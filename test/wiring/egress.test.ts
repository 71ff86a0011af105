import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { Failure } from '../../src/core/failure.ts';
import { standingOf } from '../../src/core/verdict.ts';
import type { Cidr } from '../../src/settings/cidr.ts';
import { parseBaseUrl } from '../../src/settings.ts';
import { makeAddressGate } from '../../src/wiring/address-ranges.ts';
import { openUpstream, type Resolve } from '../../src/wiring/upstream.ts';
import { makeListeningLog, SILENT_LOG } from '../fakes/log.ts';
import { callOf, makeProvider, sendJson } from '../providers/upstream.ts';
import { ANSWERS } from '../providers/wire.ts';
import { NAMES, SPELLINGS, UNREADABLE } from './address-spellings.ts';

const NEVER = new AbortController().signal;
const CLOSED = makeAddressGate({ allowed: [], mayUseLoopback: false });
const HOME: Cidr = { network: '127.0.0.1', prefix: 32, family: 'ipv4' };
const spellings = Object.entries(SPELLINGS).flatMap(([range, hosts]) => hosts.map((host) => ({ range, host })));

const resolve: Resolve = async (host) => {
  const addresses = NAMES[host];
  if (addresses === undefined) throw Object.assign(new Error(`not found: ${host}`), { syscall: 'getaddrinfo' });
  return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
};

/** A real server on every address of this machine, which counts who connects. */
async function openHome(answer: (response: ServerResponse, request: IncomingMessage) => void) {
  let connections = 0;
  const server = createServer((request, response) => {
    request.resume();
    answer(response, request);
  });
  server.on('connection', () => {
    connections += 1;
  });
  server.listen(0);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

const openAnswering = () =>
  openHome((response) => sendJson(response, ANSWERS.openaiCompatible, 200, { connection: 'close' }));

interface Way {
  readonly gate?: ReturnType<typeof makeAddressGate>;
  readonly resolve?: Resolve;
}

/** One call to a provider at this base URL. Null when it was answered. */
async function failureAt(baseUrl: string, way: Way = {}): Promise<Failure | null> {
  await using network = await openUpstream({ gate: CLOSED, resolve, log: SILENT_LOG, connectMs: 500, ...way });
  const provider = await makeProvider('openaiCompatible', baseUrl, { fetch: network.fetch });
  const result = await provider.call(callOf('openaiCompatible'), NEVER);
  return result.kind === 'answered' ? null : result.failure;
}

describe('an address of a network of the operator’s own', () => {
  test('is never connected to, however it is written: the provider counts as misconfigured, and nothing is billed', async () => {
    await using home = await openAnswering();
    const found: unknown[] = [];
    for (const { range, host } of spellings) {
      const baseUrl = parseBaseUrl(`http://${host}:${home.port}`);
      const failure = baseUrl === null ? null : await failureAt(baseUrl);
      const said = new RegExp(`must not be called \\(${range}\\): ALLOW_PRIVATE_UPSTREAMS`).test(
        failure?.message ?? '',
      );
      if (failure?.kind !== 'misconfigured' || failure.billed !== 'nothing' || !said)
        found.push({ range, host, failure });
    }
    expect(found).toEqual([]);
    expect(spellings.length).toBeGreaterThanOrEqual(60);
    expect(home.connections()).toBe(0);
  });

  test('would be reached by these spellings of loopback, if it were allowed', async () => {
    await using home = await openAnswering();
    const gate = makeAddressGate({ allowed: [], mayUseLoopback: true });
    const reached = [
      '127.0.0.1',
      '2130706433',
      '0177.0.0.1',
      '１２７.０.０.１',
      '[::1]',
      'localhost',
      'loopback.example',
    ];
    for (const host of reached) expect(await failureAt(`http://${host}:${home.port}`, { gate })).toBeNull();
    expect(home.connections()).toBe(reached.length);
  });

  test.each(UNREADABLE)('cannot be hidden in the base URL %s', (text) => {
    expect(parseBaseUrl(text)).toBeNull();
  });

  test('does not count against the breaker as an outage: the provider is set aside, as with a key that it refuses', async () => {
    const failure = await failureAt('http://metadata.example');
    expect(failure && standingOf(failure)).toMatchObject({
      verdict: { kind: 'neutral' },
      setAside: expect.stringContaining('ALLOW_PRIVATE_UPSTREAMS'),
    });
  });

  test('is told to the operator’s log, and not to callers', async () => {
    const { log, lines } = makeListeningLog();
    await using network = await openUpstream({ gate: CLOSED, resolve, log });
    const provider = await makeProvider('openaiCompatible', 'http://office.example', { fetch: network.fetch });
    const result = await provider.call(callOf('openaiCompatible'), NEVER);
    expect(lines).toMatchObject([
      { level: 'warn', fields: { host: 'office.example', address: '10.20.30.40', range: 'private' } },
    ]);
    expect(JSON.stringify(result)).not.toMatch(/10\.20\.30\.40|office/);
  });
});

describe('what is allowed', () => {
  test.each([
    [
      '10.0.0.0/8 by its own',
      { network: '10.0.0.0', prefix: 8, family: 'ipv4' },
      '10.255.0.1',
      '11.0.0.1',
      '172.16.0.1',
    ],
    [
      '10.0.0.0/8 mapped',
      { network: '10.0.0.0', prefix: 8, family: 'ipv4' },
      '::ffff:10.0.0.1',
      '2600::1',
      '::ffff:172.16.0.1',
    ],
    ['fd12::/16', { network: 'fd12::', prefix: 16, family: 'ipv6' }, 'fd12:1::2', '2a00::1', 'fd13::1'],
    [
      'one address',
      { network: '169.254.169.253', prefix: 32, family: 'ipv4' },
      '169.254.169.253',
      '8.8.8.8',
      '169.254.169.254',
    ],
    [
      'everything of IPv4, and no more',
      { network: '0.0.0.0', prefix: 0, family: 'ipv4' },
      '127.0.0.1',
      '8.8.8.8',
      '::1',
    ],
  ] as const)('%s', (_name, block, listed, open, refused) => {
    const gate = makeAddressGate({ allowed: [block], mayUseLoopback: false });
    expect([listed, open].map(gate)).toEqual([null, null]);
    expect(gate(refused)).not.toBeNull();
  });

  test.each([
    '1.1.1.1',
    '9.255.255.255',
    '100.63.255.255',
    '100.128.0.0',
    '126.255.255.255',
    '128.0.0.1',
    '169.253.255.255',
    '172.15.255.255',
    '172.32.0.0',
    '192.167.255.255',
    '198.17.255.255',
    '223.255.255.255',
    '2606:4700::1111',
    '2a00:1450::1',
    '64:ff9b::808:808',
  ])('%s, of the public internet', (address) => {
    expect(CLOSED(address)).toBeNull();
  });

  test('loopback while it may be used is loopback alone', () => {
    const gate = makeAddressGate({ allowed: [], mayUseLoopback: true });
    expect(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'].map(gate)).toEqual([null, null, null, null]);
    expect(['0.0.0.0', '::', '10.0.0.1', '169.254.169.254'].map(gate)).not.toContain(null);
  });
});

describe('a name', () => {
  test('is resolved once for a connection, which goes to the address that was checked, whatever it means a moment later', async () => {
    await using home = await openAnswering();
    const gate = makeAddressGate({ allowed: [HOME], mayUseLoopback: false });
    const answers = ['127.0.0.1', '127.0.0.2'];
    let asked = 0;
    const rebinding: Resolve = async () => {
      asked += 1;
      return [{ address: answers.shift() ?? '127.0.0.2', family: 4 }];
    };
    await using network = await openUpstream({ gate, resolve: rebinding, log: SILENT_LOG });
    const provider = await makeProvider('openaiCompatible', `http://rebinding.example:${home.port}`, {
      fetch: network.fetch,
    });
    expect((await provider.call(callOf('openaiCompatible'), NEVER)).kind).toBe('answered');
    expect([asked, home.connections()]).toEqual([1, 1]);
    const second = await provider.call(callOf('openaiCompatible'), NEVER);
    expect(second).toMatchObject({ kind: 'failed', failure: { kind: 'misconfigured', billed: 'nothing' } });
    expect([asked, home.connections()]).toEqual([2, 1]);
  });

  test('that is not found is a network fault as before', async () => {
    expect(await failureAt('http://gone.example')).toMatchObject({ kind: 'networkError', billed: 'nothing' });
  });
});

test('a redirect into the operator’s network is not followed, and no key travels', async () => {
  const keys: unknown[] = [];
  await using inside = await openHome((response, request) => {
    keys.push(request.headers.authorization);
    sendJson(response, {});
  });
  await using outside = await openHome((response) =>
    response.writeHead(308, { location: `http://127.0.0.1:${inside.port}/v1`, connection: 'close' }).end(),
  );
  const gate = makeAddressGate({ allowed: [], mayUseLoopback: true });
  const failure = await failureAt(`http://127.0.0.1:${outside.port}`, { gate });
  expect(failure).toMatchObject({ kind: 'invalidResponse', message: expect.stringContaining('redirects are off') });
  expect([keys, inside.connections()]).toEqual([[], 0]);
});
