import type { App } from '../app.ts';
import { CLIENT_SETTINGS, parseClientConfig } from '../client-config.ts';
import { makePythonRandom } from '../providers/python-random.ts';
import { addressOf } from '../wiring/banner.ts';
import { printFault, type Setup } from '../wiring/read-setup.ts';
import { SYSTEM_CLOCK } from '../wiring/system.ts';
import { type Command, complain, readWords } from './command.ts';
import { readDemoSetup } from './demo-setup.ts';
import { runTraffic } from './demo-traffic.ts';
import { EXIT } from './exit-code.ts';
import { live } from './lifetime.ts';
import { parsePort, withPort } from './port.ts';
import type { Shell } from './shell.ts';

const HELP = `Usage: switchyard demo [OPTIONS]

Serves the gateway with something to see: mocks answer whatever keys are set, so that nothing can cost money; a few users send them
requests; now and then a provider breaks for half a minute. State is kept in memory; with STORE=embedded in a folder of its own. It
uses no DATABASE_URL and sends no telemetry: nothing of it reaches a service that others use.

  --port N        listens there, whatever PORT says; 0 takes any free port
  --rate N        requests a second on average, from 0.1 to 50; without it: 4
  --no-traffic    nobody asks, and nothing breaks

Who asks what is drawn from MOCK_SEED.
`;

const OPTIONS = { port: { type: 'string' }, rate: { type: 'string' }, 'no-traffic': { type: 'boolean' } } as const;

const RATE = { usual: 4, min: 0.1, max: 50 } as const;

export const COMMAND: Command = {
  help: HELP,
  async run(words, shell) {
    const read = readWords(words, { options: OPTIONS, restMax: 0, help: HELP, shell });
    if (read.kind === 'ended') return read.code;
    const port = parsePort(read.values.port);
    if (port === 'neither') return complain('--port is a whole number from 0 to 65535.', { help: HELP, shell });
    const rate = parseRate(read.values.rate);
    if (rate === null) return complain(`--rate is a number from ${RATE.min} to ${RATE.max}.`, { help: HELP, shell });
    shell.readEnvFile();
    const said = await readDemoSetup(withPort(shell.env, port));
    if (said.kind === 'invalid') {
      shell.tell(said.faults.map((fault) => `${printFault(fault)}\n`).join(''));
      return EXIT.badConfig;
    }
    const { setup, ignored } = said;
    if (ignored.length > 0) shell.tell(`A demonstration keeps to itself, and does not use ${ignored.join(', ')}.\n`);
    const traffic = { setup, rate: read.values['no-traffic'] === true || !mayAsk(setup) ? 0 : rate };
    return live({
      setup,
      source: null,
      shell,
      bannerOf: (app) => demoBanner(app, { ...traffic, env: shell.env }),
      beside: (app, signal) => send(app, { ...traffic, signal }),
    });
  },
};

/** Callers need keys, and there is none that the demonstration may come with. */
function mayAsk({ config }: Setup): boolean {
  return config.auth === 'off' || config.adminKey !== null;
}

function send(app: App, of: { readonly setup: Setup; readonly rate: number; readonly signal: AbortSignal }): void {
  const { config } = of.setup;
  if (of.rate === 0) return;
  void runTraffic({
    ...of,
    gateway: { url: addressOf(app, config), key: config.auth === 'off' ? null : config.adminKey },
    clock: SYSTEM_CLOCK,
    chance: makePythonRandom(BigInt(config.mock.seed)),
  });
}

function demoBanner(
  app: App,
  { setup, rate, env }: { readonly setup: Setup; readonly rate: number; readonly env: Shell['env'] },
): string {
  const { config } = setup;
  const address = addressOf(app, config);
  const traffic = `about ${rate} requests a second; after 12 s a provider breaks, for half a minute, and later again`;
  return [
    '',
    `Switchyard ${app.info.version} is running at ${address} as a demonstration`,
    '',
    `  Look at      ${address}/`,
    '  Providers    mocks, whatever keys are set: nothing costs money',
    `  Store        ${app.store.where}`,
    `  Traffic      ${rate === 0 ? quietReason(setup) : traffic}`,
    `  Ask          in this folder: ${pointTo(address, env)}npx switchyard chat "Write a haiku about railways"`,
    '  Stop         Ctrl-C',
    '',
    '',
  ].join('\n');
}

/** What `chat` must be told to find it. Empty: nothing. */
function pointTo(address: string, env: Shell['env']): string {
  const client = parseClientConfig(env);
  const isFound = client.kind === 'valid' && client.config.url === address;
  return isFound ? '' : `${CLIENT_SETTINGS.url.name}=${address} `;
}

function quietReason(setup: Setup): string {
  return mayAsk(setup) ? 'none' : 'none, for callers need keys: set ADMIN_KEY, and it comes with that';
}

/** Null: it is out of bounds, or no number. */
function parseRate(text: string | undefined): number | null {
  if (text === undefined) return RATE.usual;
  const rate = /^\d{1,3}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  return rate >= RATE.min && rate <= RATE.max ? rate : null;
}
