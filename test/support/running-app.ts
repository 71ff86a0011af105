import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApp } from '../../src/app.ts';
import type { Page } from '../../src/http/page.ts';
import { makeLog } from '../../src/telemetry/log.ts';
import { printFault, readSetup } from '../../src/wiring/read-setup.ts';
import { newUuid, SYSTEM_CHANCE, SYSTEM_CLOCK } from '../../src/wiring/system.ts';

/** The whole service in this process, as `npm start` wires it, with mocks that answer at once. */
export interface RunningApp extends AsyncDisposable {
  readonly url: string;
  /** Sends a GraphQL document. */
  readonly ask: (query: string, variables?: object) => Promise<{ data?: Record<string, unknown>; errors?: unknown[] }>;
}

export async function startRealApp(page: Page, env: Readonly<Record<string, string>> = {}): Promise<RunningApp> {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-app-'));
  const read = await readSetup({
    PORT: '0',
    STORE: 'memory',
    SIMULATIONS: 'on',
    MOCK_LATENCY_SCALE: '0',
    MOCK_FAILURE_RATE: '0',
    DATA_DIR: folder,
    ...env,
  });
  if (read.kind === 'invalid') throw new RangeError(read.faults.map(printFault).join('\n'));
  const start = await startApp({
    ...read.setup,
    page,
    source: null,
    log: makeLog({ level: 'error', stream: { write: () => true } }),
    clock: SYSTEM_CLOCK,
    chance: SYSTEM_CHANCE,
    newUuid,
    note: () => {},
  });
  if (start.kind === 'failed') throw new Error(start.message);
  const url = `http://127.0.0.1:${start.app.port}`;
  return {
    url,
    async ask(query, variables = {}) {
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify({ query, variables });
      return JSON.parse(await (await fetch(`${url}/graphql`, { method: 'POST', headers, body })).text());
    },
    async [Symbol.asyncDispose]() {
      await start.app.stop({ waitMs: 0, graceMs: 0 });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
