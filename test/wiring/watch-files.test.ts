import { appendFile, mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SYSTEM_CLOCK } from '../../src/wiring/system.ts';
import { type WatchFolder, watchFiles } from '../../src/wiring/watch-files.ts';
import { makeFakeClock } from '../fakes/clock.ts';
import { eventually } from '../support/eventually.ts';

async function makeFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-watch-'));
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

/** Real files, notices and time. `changes` resolves with each change that is passed on. */
function watchReally(...files: readonly string[]) {
  const told: (() => void)[] = [];
  let count = 0;
  let seen = 0;
  const watching = watchFiles({
    files,
    clock: SYSTEM_CLOCK,
    onChange: () => {
      count += 1;
      for (const tell of told.splice(0)) tell();
    },
  });
  const next = async () => {
    seen += 1;
    while (count < seen) await new Promise<void>((resolve) => told.push(resolve));
  };
  return { next, count: () => count, [Symbol.asyncDispose]: () => watching[Symbol.asyncDispose]() };
}

test('every way in which files are changed is passed on: written, replaced by rename, removed and made anew', async () => {
  await using place = await makeFolder();
  const file = join(place.folder, 'providers.yaml');
  await writeFile(file, 'one');
  await using files = watchReally(file, join(place.folder, '.env'));
  // What was there at the start, once.
  await files.next();
  await appendFile(file, ' and more');
  await files.next();
  await writeFile(join(place.folder, 'providers.yaml.new'), 'two');
  await rename(join(place.folder, 'providers.yaml.new'), file);
  await files.next();
  await unlink(file);
  await writeFile(file, 'three');
  await files.next();
  await writeFile(join(place.folder, '.env'), 'A=1');
  await files.next();
  expect(files.count()).toBe(5);
});

test('links that are turned are followed, as those of a ConfigMap, and the folder that they lead to is watched then', async () => {
  await using place = await makeFolder();
  const at = (...names: readonly string[]) => join(place.folder, ...names);
  for (const version of ['..v1', '..v2']) {
    await mkdir(at(version));
    await writeFile(at(version, 'providers.yaml'), version);
  }
  await symlink('..v1', at('..data'));
  await symlink(join('..data', 'providers.yaml'), at('providers.yaml'));
  await using files = watchReally(at('providers.yaml'));
  await files.next();
  await symlink('..v2', at('..data.new'));
  await rename(at('..data.new'), at('..data'));
  await files.next();
  await appendFile(at('..v2', 'providers.yaml'), 'more');
  await files.next();
  expect(files.count()).toBe(3);
});

/** Real files on a clock that a test moves, with notices that a test gives. */
function watchByHand(...files: readonly string[]) {
  const clock = makeFakeClock();
  const hints = new Map<string, () => void>();
  let count = 0;
  const watchFolder: WatchFolder = (folder, onHint) => {
    hints.set(folder, onHint);
    return { [Symbol.dispose]: () => hints.delete(folder) };
  };
  const onChange = () => {
    count += 1;
  };
  const watching = watchFiles({ files, clock, watchFolder, onChange });
  /** Lets time pass until the next look, and waits for the look. */
  const pass = async (ms: number) => {
    await eventually(() => clock.timerCount() === 1);
    clock.advance(ms);
    await eventually(() => clock.timerCount() === 1);
  };
  return {
    clock,
    pass,
    hint: () => {
      for (const tell of hints.values()) tell();
    },
    hints,
    count: () => count,
    end: () => watching[Symbol.asyncDispose](),
  };
}

test('a file that is half written is left alone until nothing moves; noticed or not', async () => {
  await using place = await makeFolder();
  const file = join(place.folder, 'providers.yaml');
  await writeFile(file, 'one');
  const files = watchByHand(file);
  await files.pass(250);
  expect(files.count()).toBe(1);
  await writeFile(file, 'half');
  files.hint();
  await files.pass(250);
  await appendFile(file, ' and half');
  await files.pass(250);
  expect(files.count()).toBe(1);
  await files.pass(250);
  expect(files.count()).toBe(2);
  // Nobody says anything of this one.
  await appendFile(file, ' more');
  await files.pass(9_999);
  expect(files.count()).toBe(2);
  await files.pass(1);
  await files.pass(250);
  expect(files.count()).toBe(3);
  await files.end();
  expect([files.clock.timerCount(), files.hints.size]).toEqual([0, 0]);
});

test('a file that is missing for a while is waited for, but not for ever, also beside one that was never there', async () => {
  await using place = await makeFolder();
  const file = join(place.folder, 'providers.yaml');
  await writeFile(file, 'one');
  const files = watchByHand(join(place.folder, '.env'), file);
  await files.pass(250);
  await unlink(file);
  files.hint();
  for (let look = 0; look < 5; look += 1) await files.pass(250);
  expect(files.count()).toBe(1);
  await writeFile(file, 'two');
  await files.pass(250);
  await files.pass(250);
  expect(files.count()).toBe(2);
  await unlink(file);
  files.hint();
  await files.pass(250);
  await files.pass(5_000);
  expect(files.count()).toBe(3);
  await files.end();
});

test('a file that never stops moving is read all the same', async () => {
  await using place = await makeFolder();
  const file = join(place.folder, 'providers.yaml');
  await writeFile(file, '');
  const files = watchByHand(file);
  await files.pass(250);
  files.hint();
  for (let look = 0; look < 22; look += 1) {
    await appendFile(file, 'x');
    await files.pass(250);
  }
  expect(files.count()).toBe(2);
  await files.end();
});
