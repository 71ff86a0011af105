import { mock } from 'node:test';
import { parentPort, workerData } from 'node:worker_threads';
import { commandsOf } from './commands.ts';
import { drive } from './drive.ts';
import type { Library } from './library-names.ts';
import { NO_RUNS, withDrive } from './tally.ts';

/** What the worker is told. */
export interface LibraryOrder {
  readonly library: Library;
  readonly seed: number;
  readonly runs: number;
}

// A thread of its own, because these breakers know no clock but the machine's: here it is replaced before they are loaded.
const order: LibraryOrder = workerData;
mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: 1_000_000 });
const { makeLibrarySubject } = await import('./library-subjects.ts');
let tally = NO_RUNS;
for (let run = 1; run <= order.runs; run += 1) {
  const subject = makeLibrarySubject(order.library, mock.timers);
  tally = withDrive(tally, await drive(subject, commandsOf(order.seed, run)));
  mock.timers.reset();
  mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: 1_000_000 });
}
parentPort?.postMessage(tally);
