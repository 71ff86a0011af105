import type { Registry } from '../core/registry.ts';
import type { Endpoint } from '../registry/endpoints.ts';
import { readRegistry } from '../registry/read.ts';
import { printFault, readSetup, registryFaults, type Setup, type SetupFault } from '../wiring/read-setup.ts';
import { SYSTEM_CLOCK } from '../wiring/system.ts';
import { checkDatabase } from './check-database.ts';
import { checkAccess, checkDisk, checkPort } from './check-machine.ts';
import { checkPrices, checkProviders } from './check-providers.ts';
import { type Command, readWords } from './command.ts';
import { EXIT } from './exit-code.ts';
import { type Finding, fault, ok, printFindings } from './finding.ts';
import { modelRows, printModels } from './model-table.ts';
import type { Shell } from './shell.ts';

const HELP = `Usage: switchyard check [OPTIONS] [FILE]

Finds what is wrong before the service starts, and says how to mend it: settings and the registry of providers; the database, its
version, migrations and clock; the providers' keys, by a question that costs nothing; prices; the disk; the port.
With a FILE that registry file, YAML or JSON, is all that is looked at.

  --offline    looks at settings and files only: nothing and nobody is asked
  --json       tells programs

Ends with 0 when nothing is wrong (warnings are none), with 1 when something is, with 78 when settings or the registry cannot be right.
`;

const OPTIONS = { offline: { type: 'boolean' }, json: { type: 'boolean' } } as const;

/** What was looked at and what was found. */
interface Report {
  readonly file: string;
  /** Null when it could not be read. */
  readonly registry: Registry | null;
  /** Null when the environment was not looked at, or could not be read. */
  readonly endpoints: readonly Endpoint[] | null;
  readonly faults: readonly SetupFault[];
  /** What was looked at beside settings and files. */
  readonly findings: readonly Finding[];
}

export const COMMAND: Command = {
  help: HELP,
  async run(words, shell) {
    const read = readWords(words, { options: OPTIONS, restMax: 1, help: HELP, shell });
    if (read.kind === 'ended') return read.code;
    const [file] = read.rest;
    const look = read.values.offline === true ? async () => [] : lookAround;
    const report = file === undefined ? await checkEverything(shell, look) : await checkFile(file);
    shell.print(read.values.json === true ? printJson(report) : printText(report, shell));
    if (report.faults.length > 0) return EXIT.badConfig;
    return report.findings.some(({ state }) => state === 'fault') ? EXIT.failed : EXIT.ok;
  },
};

async function checkFile(file: string): Promise<Report> {
  const read = await readRegistry(file);
  const registry = read.kind === 'valid' ? read.registry : null;
  return { file, registry, endpoints: null, faults: registryFaults(file, read), findings: [] };
}

async function checkEverything(shell: Shell, look: (setup: Setup) => Promise<readonly Finding[]>): Promise<Report> {
  shell.readEnvFile();
  const read = await readSetup(shell.env);
  if (read.kind === 'invalid') return { ...read, endpoints: null, findings: [] };
  const { file, registry, endpoints } = read.setup;
  return { file, registry, endpoints, faults: [], findings: await look(read.setup) };
}

/** All that lies outside of settings and files. Side by side: each may have to wait for somebody who does not answer. */
async function lookAround(setup: Setup): Promise<readonly Finding[]> {
  const { config } = setup;
  const findings = await Promise.all([
    checkDatabase(config.store, SYSTEM_CLOCK),
    checkProviders(setup),
    checkPrices(setup),
    checkDisk(config.store),
    checkPort(config),
    checkAccess(config),
  ]);
  return findings.flat();
}

function printJson(report: Report): string {
  const { file, registry, faults, findings } = report;
  const priceListVersion = registry?.priceListVersion ?? null;
  const isValid = faults.length === 0 && findings.every(({ state }) => state !== 'fault');
  return `${JSON.stringify({ isValid, file, priceListVersion, models: modelRows(report), faults, findings }, null, 2)}\n`;
}

function printText(report: Report, shell: Shell): string {
  const { file, registry, faults, findings } = report;
  const settings =
    faults.length > 0
      ? faults.map((each) => fault('settings', printFault(each), null))
      : [ok('settings', `${file}: valid, price list ${registry?.priceListVersion ?? ''}`)];
  const all = [...settings, ...findings];
  const count = all.filter(({ state }) => state === 'fault').length;
  const models = faults.length > 0 ? '' : `\n${printModels(report)}`;
  return `${printFindings(all, shell)}${models}${count === 0 ? '' : `\n${count} to mend\n`}`;
}
