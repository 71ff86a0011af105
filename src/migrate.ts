import { parseConfig } from './config.ts';
import { migrateDatabase } from './store/postgres/migrate.ts';
import { readEnvFile } from './wiring/env-file.ts';

const USAGE = `Usage: npm run migrate [-- --help]

Brings the database of DATABASE_URL to the schema of this version, under a lock: safe to run from several places at once.
The embedded server is migrated at every start; it needs no command.`;

const EXIT = { ok: 0, failed: 1, usage: 2, badConfig: 78 } as const;

process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  if (words.includes('--help')) {
    console.log(USAGE);
    return EXIT.ok;
  }
  if (words.length > 0) {
    console.error(USAGE);
    return EXIT.usage;
  }
  readEnvFile();
  const parsed = parseConfig(process.env);
  if (parsed.kind === 'invalid') {
    for (const fault of parsed.faults) console.error(fault.message);
    return EXIT.badConfig;
  }
  const { store } = parsed.config;
  if (store.kind !== 'postgres') {
    console.error(`DATABASE_URL is not in use (STORE is ${store.kind}): set it to the database to migrate.`);
    return EXIT.usage;
  }
  try {
    await migrateDatabase(store.url);
    console.log(`The database at ${new URL(store.url).host} is up to date.`);
    return EXIT.ok;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    console.error(`The database at ${new URL(store.url).host} could not be migrated: ${why}`);
    return EXIT.failed;
  }
}
