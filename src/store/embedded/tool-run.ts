import { spawn } from 'node:child_process';
import { identityOf, SERVER_ENVIRONMENT, type ServerUser } from './server-user.ts';

export interface ToolRun {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly user: ServerUser;
  readonly timeoutMs: number;
  /** An open file that the tool finds as its descriptor 3. */
  readonly descriptor3?: number;
}

export type ToolEnd =
  | { readonly kind: 'done'; readonly output: string }
  | { readonly kind: 'failed'; readonly reason: string };

const OUTPUT_CHARS_MAX = 4_000;

/** Runs a program to its end and keeps the last of what it said. It is killed when its time is up. */
export async function runTool(run: ToolRun): Promise<ToolEnd> {
  try {
    return await runToEnd(run);
  } catch (error) {
    // Some refusals are thrown, such as leave to become another user.
    return { kind: 'failed', reason: `${run.file} cannot be run: ${error}` };
  }
}

async function runToEnd(run: ToolRun): Promise<ToolEnd> {
  const { promise, resolve, reject } = Promise.withResolvers<ToolEnd>();
  const tool = spawn(run.file, run.args, {
    ...identityOf(run.user),
    cwd: run.cwd,
    env: SERVER_ENVIRONMENT,
    stdio: ['ignore', 'pipe', 'pipe', run.descriptor3 ?? 'ignore'],
    timeout: run.timeoutMs,
    killSignal: 'SIGKILL',
    windowsHide: true,
  });
  let output = '';
  const keep = (text: string): void => {
    output = (output + text).slice(-OUTPUT_CHARS_MAX);
  };
  tool.stdout?.setEncoding('utf8').on('data', keep);
  tool.stderr?.setEncoding('utf8').on('data', keep);
  tool.once('error', reject);
  tool.once('close', (status, signal) => {
    const ending = signal === 'SIGKILL' ? `was killed (limit ${run.timeoutMs} ms)` : `ended with ${signal ?? status}`;
    resolve(
      status === 0 ? { kind: 'done', output } : { kind: 'failed', reason: `${run.file} ${ending}: ${output.trim()}` },
    );
  });
  return await promise;
}
