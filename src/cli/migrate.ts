import { parseConfig } from '../config.ts';
import { migrateDatabase } from '../store/postgres/migrate.ts';
import { type Command, readWords } from './command.ts';
import { EXIT } from './exit-code.ts';

const HELP = `Usage: switchyard migrate

Brings the database of DATABASE_URL to the schema of this version, under a lock: safe to run from several places at once.
The embedded server is migrated at every start; it needs no command.
`;

export const COMMAND: Command = {
  help: HELP,
  async run(words, shell) {
    const read = readWords(words, { options: {}, restMax: 0, help: HELP, shell });
    if (read.kind === 'ended') return read.code;
    shell.readEnvFile();
    const parsed = parseConfig(shell.env);
    if (parsed.kind === 'invalid') {
      shell.tell(parsed.faults.map(({ message }) => `${message}\n`).join(''));
      return EXIT.badConfig;
    }
    const { store } = parsed.config;
    if (store.kind !== 'postgres') {
      shell.tell(`DATABASE_URL is not in use (STORE is ${store.kind}): set it to the database to migrate.\n`);
      return EXIT.badConfig;
    }
    const { host } = new URL(store.url);
    try {
      await migrateDatabase(store.url);
      shell.print(`The database at ${host} is up to date.\n`);
      return EXIT.ok;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      shell.tell(`The database at ${host} could not be migrated: ${why}\n`);
      return EXIT.failed;
    }
  },
};
