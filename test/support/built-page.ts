import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';
import type { Page } from '../../src/http/page.ts';
import { readPage } from '../../src/wiring/read-page.ts';

const CONFIG = join(import.meta.dirname, '../../dashboard/vite.config.ts');

/** The control room as its sources are now, built as users build it. What an install left behind may be of other sources. */
export async function buildPage(): Promise<Page> {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-page-'));
  try {
    await build({ configFile: CONFIG, logLevel: 'error', build: { outDir: folder } });
    const read = await readPage(folder);
    if (read.kind === 'missing') throw new Error(read.why);
    return read.page;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
