import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { holdId } from '../../../src/core/ids.ts';
import { JournalUnavailable } from '../../../src/core/unavailable.ts';
import { readFrames } from '../../../src/store/journal/frame.ts';
import { type Journal, openJournal } from '../../../src/store/journal/journal.ts';
import { openSegment, type Segment } from '../../../src/store/journal/segment.ts';
import { makeFakeClock } from '../../fakes/clock.ts';
import { SILENT_LOG } from '../../fakes/log.ts';
import { eventually } from '../../support/eventually.ts';

async function makeFolder() {
  const path = await mkdtemp(join(tmpdir(), 'switchyard-journal-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

async function entriesIn(folder: string) {
  const names = (await readdir(folder)).toSorted();
  const files = await Promise.all(names.map((name) => readFile(join(folder, name))));
  return files.flatMap((file) => readFrames(file).entries);
}

/** A disk that a test can break, and that counts its syncs. */
function makeDisk() {
  const disk = { isFull: false, syncs: 0, opened: 0 };
  const open = async (path: string): Promise<Segment> => {
    const segment = await openSegment(path);
    disk.opened += 1;
    return {
      ...segment,
      async append(bytes) {
        if (disk.isFull) throw new Error('ENOSPC: no space left on device, write');
        disk.syncs += 1;
        await segment.append(bytes);
      },
    };
  };
  return { disk, open };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

const act = (text: string) => ({ kind: 'act', act: text }) as const;

test('what is safe stands in the file, in order', async () => {
  await using folder = await makeFolder();
  const clock = makeFakeClock();
  await using journal = await openJournal({ folder: folder.path, clock, log: SILENT_LOG });
  const hold = holdId('01890000-0000-7000-8000-000000000001');
  journal.append({ kind: 'sent', holdId: hold, slice: null });
  await journal.safe();
  journal.append({ kind: 'settle', holdId: hold, act: 'ended' });
  journal.append(act('recorded'));
  await journal.safe();
  expect(await entriesIn(folder.path)).toEqual([
    { kind: 'sent', holdId: hold, slice: null },
    { kind: 'settle', holdId: hold, act: 'ended' },
    act('recorded'),
  ]);
});

test('entries of one moment share one sync, and so do those that come while the disk is busy', async () => {
  await using folder = await makeFolder();
  const { disk, open } = makeDisk();
  await using journal = await openJournal({ folder: folder.path, clock: makeFakeClock(), log: SILENT_LOG, open });
  const before = disk.syncs;
  for (let count = 0; count < 100; count += 1) journal.append(act(`first ${count}`));
  const first = journal.safe();
  await turn();
  for (let count = 0; count < 100; count += 1) journal.append(act(`second ${count}`));
  await Promise.all([first, journal.safe()]);
  expect(disk.syncs - before).toBe(2);
});

test('a file that is being written to stays open, though what stood in it before is needed no more', async () => {
  await using folder = await makeFolder();
  let onWrite = () => {};
  const open = async (path: string): Promise<Segment> => {
    const segment = await openSegment(path);
    return {
      ...segment,
      async append(bytes) {
        onWrite();
        await segment.append(bytes);
      },
    };
  };
  await using journal = await openJournal({ folder: folder.path, clock: makeFakeClock(), log: SILENT_LOG, open });
  const place = journal.append(act('carried out soon'));
  await journal.safe();
  onWrite = () => journal.release(place);
  journal.append(act('being written'));
  await journal.safe();
  expect(journal.fault()).toBeNull();
  expect(await entriesIn(folder.path)).toEqual([act('carried out soon'), act('being written')]);
});

test('a file goes when all of its entries are released and another one is open', async () => {
  await using folder = await makeFolder();
  await using journal = await openJournal({ folder: folder.path, clock: makeFakeClock(), log: SILENT_LOG });
  const large = 'x'.repeat(6 * 1024 * 1024);
  const places: number[] = [];
  for (let count = 0; count < 4; count += 1) {
    places.push(journal.append(act(large)));
    await journal.safe();
  }
  expect(await readdir(folder.path)).toHaveLength(2);
  for (const place of places) journal.release(place);
  await eventually(async () => (await readdir(folder.path)).length === 1);
  expect(journal.count()).toBe(0);
});

describe('a full disk', () => {
  async function fill(
    use: (of: {
      journal: Journal;
      disk: ReturnType<typeof makeDisk>['disk'];
      tick: () => Promise<void>;
      path: string;
    }) => Promise<void>,
  ) {
    await using folder = await makeFolder();
    const clock = makeFakeClock();
    const { disk, open } = makeDisk();
    await using journal = await openJournal({ folder: folder.path, clock, log: SILENT_LOG, open });
    const tick = async () => clock.advance(1_000);
    await use({ journal, disk, tick, path: folder.path });
  }

  test('is told to whoever must be safe, with the reason, and to whoever asks', async () => {
    await fill(async ({ journal, disk }) => {
      disk.isFull = true;
      journal.append(act('lost?'));
      await expect(journal.safe()).rejects.toBeInstanceOf(JournalUnavailable);
      expect(journal.fault()).toContain('ENOSPC');
      await expect(journal.safe()).rejects.toBeInstanceOf(JournalUnavailable);
    });
  });

  test('loses nothing: what could not be written is written when there is space again, in order', async () => {
    await fill(async ({ journal, disk, tick, path }) => {
      journal.append(act('before'));
      await journal.safe();
      disk.isFull = true;
      journal.append(act('during 1'));
      await expect(journal.safe()).rejects.toBeInstanceOf(JournalUnavailable);
      journal.append(act('during 2'));
      await tick();
      expect(journal.fault()).not.toBeNull();
      disk.isFull = false;
      await tick();
      await eventually(() => journal.fault() === null);
      journal.append(act('after'));
      await journal.safe();
      expect(await entriesIn(path)).toEqual([act('before'), act('during 1'), act('during 2'), act('after')]);
    });
  });

  test('is found out about by itself, also when nothing waits to be written', async () => {
    await fill(async ({ journal, disk, tick }) => {
      disk.isFull = true;
      const place = journal.append(act('carried out meanwhile'));
      await expect(journal.safe()).rejects.toBeInstanceOf(JournalUnavailable);
      journal.release(place);
      await tick();
      expect(journal.fault()).not.toBeNull();
      disk.isFull = false;
      await tick();
      await eventually(() => journal.fault() === null);
    });
  });
});

/** A disk that writes nothing from `hang` on, until it is let `goOn`. */
function makeHangingDisk() {
  const { promise, resolve: goOn } = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  let gate: Promise<void> | null = null;
  const open = async (path: string): Promise<Segment> => {
    const segment = await openSegment(path);
    return {
      ...segment,
      async append(bytes) {
        await gate;
        await segment.append(bytes);
      },
      async close() {
        await segment.close();
        closed.resolve();
      },
    };
  };
  const hang = () => {
    gate = promise;
  };
  return { open, hang, goOn, closed: closed.promise };
}

test('a file whose last write nobody could wait for is closed all the same', async () => {
  await using folder = await makeFolder();
  const clock = makeFakeClock();
  const { open, hang, goOn, closed } = makeHangingDisk();
  const journal = await openJournal({ folder: folder.path, clock, log: SILENT_LOG, open });
  hang();
  journal.append(act('slow'));
  await turn();
  let isOver = false;
  const over = journal[Symbol.asyncDispose]().then(() => {
    isOver = true;
  });
  await eventually(() => {
    clock.advance(100);
    return isOver;
  });
  await over;
  goOn();
  await closed;
});

test('a disk that hangs is told of after a second, and is well again when it has written', async () => {
  await using folder = await makeFolder();
  const clock = makeFakeClock();
  const { open, hang, goOn } = makeHangingDisk();
  await using journal = await openJournal({ folder: folder.path, clock, log: SILENT_LOG, open });
  hang();
  journal.append(act('slow'));
  const safe = journal.safe();
  // The write begins in the next turn of the event loop.
  await turn();
  // A process that was held up itself blames no disk.
  clock.advance(60_000);
  for (let look = 2; look < 10; look += 1) {
    await turn();
    clock.advance(100);
  }
  expect(journal.fault()).toBeNull();
  await turn();
  clock.advance(100);
  await expect(safe).rejects.toBeInstanceOf(JournalUnavailable);
  expect(journal.fault()).toContain('longer than 1000 ms');
  goOn();
  await eventually(() => journal.fault() === null);
  await journal.safe();
  expect(await entriesIn(folder.path)).toEqual([act('slow')]);
});

test('nothing new is taken on while 256 MB wait to be carried out', async () => {
  await using folder = await makeFolder();
  await using journal = await openJournal({ folder: folder.path, clock: makeFakeClock(), log: SILENT_LOG });
  const places = Array.from({ length: 20 }, () => journal.append(act('x'.repeat(14 * 1024 * 1024))));
  expect(journal.fault()).toContain('wait to be carried out');
  for (const place of places) journal.release(place);
  expect(journal.fault()).toBeNull();
});
