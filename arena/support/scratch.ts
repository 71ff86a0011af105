import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Keeper, startKeeper } from './keeper.ts';

/** One folder for everything a run writes, and the keeper of it and of all processes of the run. */
export interface Scratch extends AsyncDisposable {
  readonly folder: string;
  readonly keeper: Keeper;
  /** A new empty folder inside. */
  makeFolder(name: string): Promise<string>;
  /** For an end in a hurry: ends every process and removes the folder. */
  sweep(): Promise<void>;
}

/** On a real disk: what is promised after a crash must have been written to one. */
export async function makeScratch(of: { readonly isKept: boolean }): Promise<Scratch> {
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-arena-'));
  // PostgreSQL runs as nobody when we are root, and has to pass through.
  await chmod(folder, 0o711);
  const keeper = startKeeper(of.isKept ? null : folder);
  let made = 0;
  return {
    folder,
    keeper,
    async makeFolder(name) {
      made += 1;
      const inside = join(folder, `${String(made).padStart(3, '0')}-${name}`);
      await mkdir(inside, { mode: 0o711 });
      return inside;
    },
    sweep: () => keeper.sweep(),
    async [Symbol.asyncDispose]() {
      if (!of.isKept) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
      await keeper.release();
    },
  };
}
