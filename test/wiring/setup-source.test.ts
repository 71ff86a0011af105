import { unlink } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { Setup } from '../../src/wiring/read-setup.ts';
import { makeSetupFolder } from './reloading.ts';

function keyOf({ endpoints }: Setup): string | null {
  const [first] = endpoints;
  return first?.kind === 'real' ? first.apiKey : null;
}

test('a provider’s key in .env is read anew each time; one that the environment itself has wins and stays', async () => {
  await using place = await makeSetupFolder({ env: 'FIRST_KEY=one\nHOST=127.0.0.1\n' });
  expect(keyOf(await place.readSetup())).toBe('one');
  await place.write('.env', 'FIRST_KEY=two\nHOST=127.0.0.1\n');
  expect(keyOf(await place.readSetup())).toBe('two');
  expect(place.source.files()).toEqual([place.at('.env'), place.at('providers.yaml'), place.at('documents.json')]);

  await using fixed = await makeSetupFolder({ env: 'FIRST_KEY=one\n', given: { FIRST_KEY: 'one' } });
  await fixed.readSetup();
  await fixed.write('.env', 'FIRST_KEY=two\n');
  expect(keyOf(await fixed.readSetup())).toBe('one');
});

test('what only a start can change stays as it was at the start, and is named', async () => {
  await using place = await makeSetupFolder({ env: 'FIRST_KEY=one\nBUDGET_DEFAULT_USD=2\n', given: { PORT: '0' } });
  const { config } = await place.readSetup();
  await place.write('.env', 'FIRST_KEY=one\nBUDGET_DEFAULT_USD=3\nLOG_LEVEL=debug\nPORT=1\nSTORE=nonsense\n');
  const { result, waiting } = await place.source.read();
  expect(waiting).toEqual(['BUDGET_DEFAULT_USD', 'LOG_LEVEL']);
  expect(result).toMatchObject({
    kind: 'valid',
    setup: { config: { budgetDefault: config.budgetDefault, logLevel: 'info' } },
  });
});

test('an .env that vanishes or is emptied turns no real provider into a mock: it is a fault until it is back', async () => {
  await using place = await makeSetupFolder({ env: 'FIRST_KEY=one\n' });
  await place.readSetup();
  const faults = async () => {
    const { result } = await place.source.read();
    return result.kind === 'invalid' ? result.faults.map(({ message }) => message) : [];
  };
  await unlink(place.at('.env'));
  expect(await faults()).toEqual([expect.stringContaining('.env has gone or is empty')]);
  await place.write('.env', '\n# nothing\n');
  expect(await faults()).toEqual([expect.stringContaining('.env has gone or is empty')]);
  await place.write('.env', 'FIRST_KEY=two\n');
  expect(keyOf(await place.readSetup())).toBe('two');

  await using without = await makeSetupFolder();
  expect(keyOf(await without.readSetup())).toBeNull();
  await without.write('.env', 'FIRST_KEY=one\n');
  expect(keyOf(await without.readSetup())).toBe('one');
});

test('faults of all files are told at once, and say where', async () => {
  await using place = await makeSetupFolder();
  await place.readSetup();
  await place.write('providers.yaml', 'priceListVersion: ""\nproviders: []\n');
  await place.write('documents.json', '{"a": "{ nonsense }"}');
  const { result } = await place.source.read();
  expect(result).toMatchObject({
    kind: 'invalid',
    faults: [
      { source: 'registry', line: 1, column: 19, path: 'priceListVersion' },
      { source: 'registry', line: 2, path: 'providers' },
      { source: 'environment', variable: 'PERSISTED_DOCUMENTS' },
    ],
  });
});
