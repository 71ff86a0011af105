import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { STARTING_SETTINGS } from '../config.ts';
import { textOf } from '../settings/setting.ts';
import { SETTINGS } from '../settings.ts';
import { readSetup, type SetupFault, type SetupResult } from './read-setup.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** All that is set, as it can be read again and again while the service runs. */
export interface SetupSource {
  /** The files that were read at the start, and may be changed. */
  files(): readonly string[];
  read(): Promise<SetupReading>;
}

export interface SetupReading {
  readonly result: SetupResult;
  /** Variables that `.env` sets otherwise than at the start, and that cannot change while the service runs. */
  readonly waiting: readonly string[];
}

/** What `.env` says. */
type EnvFile =
  | { readonly kind: 'there'; readonly said: Environment }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unreadable'; readonly why: string };

/**
 * Reads the environment that the process was given, with `.env` of the working directory beneath it: what was given always wins. The
 * first reading is that of the start. Later ones take from `.env` what may change, which is all but the settings of this service.
 */
export function openSetupSource(given: Environment, envFile = '.env'): SetupSource {
  const own: Environment = { ...given };
  const path = resolve(envFile);
  let start: Environment | null = null;
  let hadFile = false;
  let files: readonly string[] = [path];
  return {
    files: () => files,
    async read() {
      const file = await readEnv(path);
      const faults = faultsOf(file, hadFile);
      const said = { ...(file.kind === 'there' ? file.said : {}), ...own };
      if (faults.length > 0) return { result: { kind: 'invalid', faults, file: path, registry: null }, waiting: [] };
      const fixed = start ?? said;
      const result = await readSetup({ ...said, ...startingSettings(fixed) });
      if (start === null) files = [path, ...filesOf(result, said)];
      start ??= said;
      hadFile ||= isAnythingIn(file);
      const waiting = STARTING_SETTINGS.filter((name) => textOf(said[name]) !== textOf(fixed[name]));
      return { result, waiting };
    },
  };
}

async function readEnv(path: string): Promise<EnvFile> {
  try {
    return { kind: 'there', said: parseEnv(await readFile(path, 'utf8')) };
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return isMissing ? { kind: 'missing' } : { kind: 'unreadable', why: String(error) };
  }
}

function isAnythingIn(file: EnvFile): boolean {
  return file.kind === 'there' && Object.keys(file.said).length > 0;
}

/** A file that vanished is most often about to be replaced. Going by it would turn real providers into mocks. */
function faultsOf(file: EnvFile, hadFile: boolean): readonly SetupFault[] {
  if (file.kind === 'unreadable') return [envFault(`.env cannot be read: ${file.why}`)];
  if (!hadFile || isAnythingIn(file)) return [];
  return [
    envFault(
      '.env has gone or is empty, and keys of providers may have stood in it: write it again, or start the service again without it',
    ),
  ];
}

function envFault(message: string): SetupFault {
  return { source: 'environment', variable: '.env', message };
}

function startingSettings(said: Environment): Environment {
  return Object.fromEntries(STARTING_SETTINGS.map((name) => [name, said[name]]));
}

function filesOf(result: SetupResult, said: Environment): readonly string[] {
  const registry = result.kind === 'valid' ? result.setup.file : result.file;
  const documents = textOf(said[SETTINGS.persistedDocuments.name]);
  return [registry, ...(documents === null ? [] : [documents])].map((file) => resolve(file));
}
