import { startEmbeddedServer } from '../../src/store/embedded/server.ts';

/** A service of its own process, reduced to its server: says how the start went, then runs until it is told to stop. */
const [dataDir = ''] = process.argv.slice(2);
const start = await startEmbeddedServer({ dataDir, durability: 'none', note: () => undefined });
if (start.kind === 'started') {
  const { server } = start;
  // A service that drains: Ctrl-C must not take its database away meanwhile.
  process.on('SIGINT', () => undefined);
  process.once('SIGTERM', () => void server.stop().then(() => process.exit(0)));
  setInterval(() => undefined, 60_000);
}
const url = start.kind === 'started' ? start.server.url : null;
process.stdout.write(`${JSON.stringify({ kind: start.kind, url })}\n`);
