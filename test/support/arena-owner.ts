import { spawn } from 'node:child_process';
import { makeScratch } from '../../arena/support/scratch.ts';

/** An arena that has a folder and a child, and then waits to be killed. */
const scratch = await makeScratch({ isKept: false });
const child = spawn('/bin/sleep', ['600'], { stdio: 'ignore' });
scratch.keeper.watch(child.pid ?? 0, 'KILL');
process.stdout.write(`${JSON.stringify({ folder: scratch.folder, child: child.pid })}\n`);
setInterval(() => undefined, 60_000);
