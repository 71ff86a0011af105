import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeScratch } from '../../arena/support/scratch.ts';
import { isAlive } from '../../src/store/embedded/postmaster.ts';
import { eventually } from '../support/eventually.ts';

/** An arena of its own process, reduced to its folder and one child. */
async function startOwner() {
  const owner = spawn(process.execPath, [join(import.meta.dirname, '../support/arena-owner.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(owner.stdout, 'data');
  const { folder, child } = JSON.parse(String(line));
  return { owner, folder, child };
}

test.each(['SIGKILL', 'SIGTERM'] as const)(
  'after %s of the arena its children and its folder are gone',
  async (signal) => {
    const { owner, folder, child } = await startOwner();
    expect(existsSync(folder)).toBe(true);
    expect(isAlive(child)).toBe(true);
    owner.kill(signal);
    await eventually(() => !existsSync(folder) && !isAlive(child));
  },
);

test('an arena in good order removes its folder itself, and sends the keeper home', async () => {
  const scratch = await makeScratch({ isKept: false });
  const inside = await scratch.makeFolder('one');
  expect(existsSync(inside)).toBe(true);
  await scratch[Symbol.asyncDispose]();
  expect(existsSync(scratch.folder)).toBe(false);
});

test('a child that has ended is forgotten: its number may be somebody else’s', async () => {
  const scratch = await makeScratch({ isKept: false });
  const bystander = spawn('/bin/sleep', ['60'], { stdio: 'ignore' });
  const { pid } = bystander;
  if (pid === undefined) throw new Error('no child');
  scratch.keeper.watch(pid, 'KILL');
  scratch.keeper.forget(pid);
  await scratch.sweep();
  expect(isAlive(pid)).toBe(true);
  expect(existsSync(scratch.folder)).toBe(false);
  bystander.kill('SIGKILL');
  await once(bystander, 'exit');
});
