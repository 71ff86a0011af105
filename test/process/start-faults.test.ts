import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startInVain } from '../support/running.ts';

test('a port in use is said, with what to do, and the exit code is 1', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  const address = other.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  try {
    const { code, said } = await startInVain({ STORE: 'memory', PORT: String(port) });
    expect(code).toBe(1);
    expect(said).toContain(String(port));
    expect(said).toContain('PORT');
  } finally {
    other.close();
  }
});

test('all faults of settings and registry are told at once, with exit code 78', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-faults-'));
  try {
    const file = join(folder, 'registry.yaml');
    await writeFile(
      file,
      `priceListVersion: x
providers:
  - { key: a, displayName: A, kind: mock, requestsPerMinute: 0, specialties: [], models: [] }
  - { key: a, displayName: A, kind: mock, requestsPerMinute: 10, specialties: [], models: [] }
`,
    );
    const { code, said } = await startInVain({
      STORE: 'memory',
      SWITCHYARD_CONFIG: file,
      BUDGET_DEFAULT_USD: '-1',
      MOCK_FAILURE_RATE: 'NaN',
    });
    expect(code).toBe(78);
    for (const wanted of ['BUDGET_DEFAULT_USD', 'MOCK_FAILURE_RATE', `${file}:3:`, 'requestsPerMinute', `${file}:4:`]) {
      expect(said).toContain(wanted);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('--help and --version answer on stdout, and an unknown word is refused with 2', async () => {
  expect(await startInVain({}, ['--help'])).toMatchObject({
    code: 0,
    printed: expect.stringContaining('Usage: switchyard'),
  });
  expect(await startInVain({}, ['--version'])).toMatchObject({
    code: 0,
    printed: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
  });
  expect(await startInVain({}, ['--pot', '1'])).toMatchObject({
    code: 2,
    said: expect.stringMatching(/^There is no option --pot; did you mean port\?/),
  });
});

test('a file of documents with faults keeps the service from starting, and all faults are told at once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-documents-'));
  const path = join(folder, 'documents.json');
  await writeFile(path, JSON.stringify({ one: '{ nobody }', two: '{' }));
  const { code, said } = await startInVain({ STORE: 'memory', PERSISTED_DOCUMENTS: path, LOG_RETENTION_DAYS: '0' });
  await rm(folder, { recursive: true });
  expect(code).toBe(78);
  expect(said).toMatch(/LOG_RETENTION_DAYS is "0"/);
  expect(said).toMatch(
    /documents\.json "one": Cannot query field "nobody"[^\n]*\n[^\n]*documents\.json "two": Syntax Error/,
  );
});

test('what was compiled is kept for the next start, and a home that cannot be written hinders none', async () => {
  const home = await mkdtemp(join(tmpdir(), 'switchyard-home-'));
  expect(await startInVain({ HOME: home }, ['check', '--offline'])).toMatchObject({ code: 0 });
  expect(await readdir(join(home, '.cache/switchyard'))).toHaveLength(1);
  await rm(home, { recursive: true });
  expect(await startInVain({ HOME: '/dev/null' }, ['check', '--offline'])).toMatchObject({ code: 0, said: '' });
});
