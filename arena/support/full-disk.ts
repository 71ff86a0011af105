import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { endingsOf } from './client-log.ts';
import type { DatabaseClock } from './database-clock.ts';
import { type Context, makeFaults } from './experiment.ts';
import { closedLoad, inBackground } from './load.ts';
import { makeProvider } from './registry.ts';
import { openScene, replicaAt, type Scene } from './scene.ts';
import { settleDown, until } from './settle-down.ts';

export interface FullDisk {
  readonly answered: number;
  readonly refused: number;
  /** Calls that upstreams received although the disk had been full for a while. */
  readonly sentWhileFull: number;
  readonly rowsLost: number;
  readonly faults: readonly string[];
}

const CALLERS = 6;
const CHATS_MAX = 100_000;
const THINK_MS = 10;
const WELL_MS = 1_000;
/** What was already admitted when the disk filled up may take so long to find out. */
const NOTICE_MS = 500;
const RECOVERY_MS_MAX = 20_000;
const OUTPUT_TOKENS = 50;
const UPSTREAM_MS = 20;

/**
 * A replica whose disk takes nothing for a while: no file of it may grow, by a limit on the process that is set and lifted
 * from outside, as any user may for his own. Node ignores the signal that comes with it, so the write itself fails, by
 * another name than on a full disk; the way through the service is the same.
 */
export async function fillDisk(context: Context, fullMs: number): Promise<FullDisk> {
  const clocks: DatabaseClock[] = [];
  await using scene = await openScene(context, {
    replicas: 1,
    providers: [makeProvider('steady')],
    prepare: async (database) => void clocks.push(await database.makeClock()),
  });
  scene.upstream.reactWith(() => ({ kind: 'answer', delayMs: UPSTREAM_MS }));
  const send = async (sequence: number) => {
    const wish = { tag: `8-${sequence}`, userId: `user-${sequence % 10}`, maxOutputTokens: OUTPUT_TOKENS };
    const exchange = await scene.chat(replicaAt(scene, 0).url, wish);
    await sleep(THINK_MS);
    return exchange;
  };
  await using load = inBackground((isOver) => closedLoad({ callers: CALLERS, countMax: CHATS_MAX, isOver, send }));
  await sleep(WELL_MS);
  context.progress(`the disk takes nothing for ${fullMs} ms`);
  await limitFiles(scene, '0');
  await sleep(NOTICE_MS);
  const before = scene.upstream.receivedCount;
  await sleep(fullMs);
  const sentWhileFull = scene.upstream.receivedCount - before;
  const isReadyWhileFull = await replicaAt(scene, 0).isReady();
  await limitFiles(scene, 'unlimited');
  const isBack = await until(RECOVERY_MS_MAX, () => replicaAt(scene, 0).isReady());
  await sleep(WELL_MS);
  await load.end();
  const [clock] = clocks;
  if (clock === undefined) throw new RangeError('no clock');
  const { books, holds } = await settleDown(scene, clock);
  const refused = endingsOf(scene.log.exchanges).get('JOURNAL_UNAVAILABLE') ?? 0;
  const answeredLast = scene.log.exchanges.at(-1)?.reply.kind === 'answered';
  const faults = makeFaults();
  faults.list.push(...books.faults);
  faults.expect(sentWhileFull === 0, `${sentWhileFull} calls were sent while the disk was full`);
  faults.expect(refused > 0, 'nobody was told JOURNAL_UNAVAILABLE');
  faults.expect(!isReadyWhileFull, 'the replica said that it was ready');
  faults.expect(isBack && answeredLast, 'the replica did not come back when the disk took something again');
  faults.expect(holds === 0, `${holds} holds are left`);
  return { answered: books.answered, refused, sentWhileFull, rowsLost: books.rowsLost, faults: faults.list };
}

/** Linux only, where `prlimit` is part of every system. */
async function limitFiles(scene: Scene, bytes: '0' | 'unlimited'): Promise<void> {
  await promisify(execFile)('prlimit', ['--pid', String(replicaAt(scene, 0).pid), `--fsize=${bytes}:`]);
}
