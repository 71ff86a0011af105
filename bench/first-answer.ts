import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';

/** What is promised once the packages are there. */
const PROMISE = { answerS: 60, aliveS: 5 } as const;
/** How long one step may take before it counts as failed. */
const STEP_MS_MAX = 600_000;

const USAGE = `From a fresh clone of this repository to the first answer, timed: npm run first-answer [-- --modules FOLDER]

  --modules FOLDER    links these packages instead of installing them
`;

const ROOT = join(import.meta.dirname, '..');
const QUESTION = JSON.stringify({
  query: 'mutation { chat(input: { prompt: "Write a haiku about railways" }) { ... on ChatSuccess { content } } }',
});

const { values } = parseArgs({ options: { modules: { type: 'string' }, help: { type: 'boolean' } } });
if (values.help === true) process.stdout.write(USAGE);
else process.exitCode = await measure(values.modules ?? null);

async function measure(modules: string | null): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-first-answer-'));
  const home = join(folder, 'switchyard');
  const rows: { readonly step: string; readonly command: string; readonly seconds: number }[] = [];
  const timed = async (step: string, command: string, work: () => Promise<unknown>) => {
    const startedAt = performance.now();
    await work();
    rows.push({ step, command, seconds: (performance.now() - startedAt) / 1_000 });
  };
  try {
    await timed('clone', 'git clone', () => run('git', ['clone', '--quiet', '--no-hardlinks', ROOT, home], folder));
    if (modules === null) await timed('packages', 'npm ci', () => run('npm', ['ci'], home));
    else symlinkSync(modules, join(home, 'node_modules'), 'dir');
    {
      await using service = launch(home, ['start']);
      await timed('start, with a database of its own', 'npm start', () => service.url);
      await timed('first answer', 'curl', async () => ask(await service.url));
    }
    await using demo = launch(home, ['start', '--', 'demo']);
    await timed('start of a demonstration', 'npm start -- demo', () => demo.url);
    await timed('first decisions on its page', '–', async () => waitForRequests(await demo.url));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const secondsOf = (...steps: readonly string[]) =>
    rows.filter(({ step }) => steps.includes(step)).reduce((sum, { seconds }) => sum + seconds, 0);
  const answerS = secondsOf('start, with a database of its own', 'first answer');
  const aliveS = secondsOf('start of a demonstration', 'first decisions on its page');
  console.log('| Step | Command | Seconds |\n|---|---|---:|');
  for (const { step, command, seconds } of rows) console.log(`| ${step} | \`${command}\` | ${seconds.toFixed(1)} |`);
  console.log(`From installed packages to the first answer: ${answerS.toFixed(1)} s, at most ${PROMISE.answerS} s.`);
  console.log(
    `From the start of a demonstration to its first decisions: ${aliveS.toFixed(1)} s, at most ${PROMISE.aliveS} s.`,
  );
  return answerS <= PROMISE.answerS && aliveS <= PROMISE.aliveS ? 0 : 1;
}

async function run(program: string, words: readonly string[], cwd: string): Promise<void> {
  await promisify(execFile)(program, words, { cwd, timeout: STEP_MS_MAX, maxBuffer: 64_000_000 });
}

/** Starts an npm script on a free port. Disposing of it is Ctrl-C. */
function launch(cwd: string, words: readonly string[]) {
  const child = spawn('npm', words, {
    cwd,
    // A group of its own, as a terminal makes one: Ctrl-C reaches npm and what it started.
    detached: true,
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const url = Promise.withResolvers<string>();
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    const address = /running at (http:\/\/\S+)/.exec(said)?.[1];
    if (address !== undefined) url.resolve(address);
  });
  const ended = once(child, 'close').then(() => url.reject(new Error(`it ended: ${said}`)));
  return {
    url: url.promise,
    async [Symbol.asyncDispose]() {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGINT');
      await ended;
    },
  };
}

async function ask(url: string): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/graphql`, { method: 'POST', headers, body: QUESTION });
  const answer = await response.text();
  if (!answer.includes('Mock response')) throw new Error(`no answer: ${answer}`);
}

async function waitForRequests(url: string): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ query: '{ requests(first: 1) { nodes { id } } }' });
  for (;;) {
    const response = await fetch(`${url}/graphql`, { method: 'POST', headers, body });
    if ((await response.text()).includes('req_')) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
