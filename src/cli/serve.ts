import { bannerOf } from '../wiring/banner.ts';
import { printFault } from '../wiring/read-setup.ts';
import { openSetupSource } from '../wiring/setup-source.ts';
import { type Command, complain, readWords } from './command.ts';
import { EXIT } from './exit-code.ts';
import { live } from './lifetime.ts';
import { parsePort, withPort } from './port.ts';

const HELP = `Usage: switchyard serve [OPTIONS]

Serves the gateway until SIGTERM or Ctrl-C.

  --port N    listens there, whatever PORT says; 0 takes any free port

All else is set by environment variables or a file .env: docs/configuration.md. \`switchyard check\` looks at them beforehand.
`;

export const COMMAND: Command = {
  help: HELP,
  async run(words, shell) {
    const read = readWords(words, { options: { port: { type: 'string' } }, restMax: 0, help: HELP, shell });
    if (read.kind === 'ended') return read.code;
    const port = parsePort(read.values.port);
    if (port === 'neither') return complain('--port is a whole number from 0 to 65535.', { help: HELP, shell });
    // Before .env is put in: what the environment itself says cannot change.
    const source = openSetupSource(withPort(shell.env, port));
    shell.readEnvFile();
    const { result } = await source.read();
    if (result.kind === 'invalid') {
      shell.tell(result.faults.map((fault) => `${printFault(fault)}\n`).join(''));
      return EXIT.badConfig;
    }
    const { setup } = result;
    const { config, endpoints } = setup;
    return live({
      setup,
      source,
      shell,
      bannerOf: (app) => bannerOf(app, config, endpoints),
      beside: () => undefined,
    });
  },
};
