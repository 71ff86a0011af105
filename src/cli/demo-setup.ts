import { join } from 'node:path';
import { textOf } from '../settings/setting.ts';
import { TELEMETRY_SETTINGS } from '../settings/telemetry.ts';
import { SETTINGS } from '../settings.ts';
import { readSetup, type Setup, type SetupFault } from '../wiring/read-setup.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What a demonstration assumes where nothing is set. */
const ASSUMED: Environment = { STORE: 'memory', MOCK_FAILURE_RATE: '0.02', LOG_LEVEL: 'warn' };

/** What leads to others: replicas that share a database, and who is woken by a collector's figures. */
const LEADING_OUT: readonly string[] = [SETTINGS.databaseUrl, ...Object.values(TELEMETRY_SETTINGS)].map(
  ({ name }) => name,
);

/** The folder in `DATA_DIR` that a demonstration keeps to: budgets and breakers of the service itself lie beside it. */
const FOLDER = 'demo';

export type DemoSetup =
  | {
      readonly kind: 'valid';
      readonly setup: Setup;
      /** The names of variables that are set, and that a demonstration does not go by. */
      readonly ignored: readonly string[];
    }
  | { readonly kind: 'invalid'; readonly faults: readonly SetupFault[] };

/** Reads what is set, for a demonstration: it calls nobody, tells nobody, and shares no state with anybody. */
export async function readDemoSetup(env: Environment): Promise<DemoSetup> {
  const said = Object.fromEntries(Object.entries(env).filter(([, text]) => textOf(text) !== null));
  if (textOf(said[SETTINGS.store.name]) === 'postgres') return { kind: 'invalid', faults: [SHARED_STORE] };
  const ignored = LEADING_OUT.filter((name) => Object.hasOwn(said, name));
  const own = Object.fromEntries(Object.entries(said).filter(([name]) => !ignored.includes(name)));
  const read = await readSetup({ ...ASSUMED, ...own, SIMULATIONS: 'on' });
  return read.kind === 'valid' ? { kind: 'valid', setup: keepApart(read.setup), ignored } : read;
}

const SHARED_STORE: SetupFault = {
  source: 'environment',
  variable: SETTINGS.store.name,
  message:
    'STORE=postgres is not for a demonstration, which breaks providers: every service on that database would see them broken. Unset STORE, or choose STORE=memory or STORE=embedded',
};

function keepApart(setup: Setup): Setup {
  const { store } = setup.config;
  const apart = store.kind === 'memory' ? store : { ...store, dataDir: join(store.dataDir, FOLDER) };
  const endpoints = setup.endpoints.map(({ key }) => ({ kind: 'mock', key, missingVariable: null }) as const);
  return { ...setup, config: { ...setup.config, store: apart }, endpoints };
}
