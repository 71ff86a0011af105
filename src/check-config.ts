import { parseArgs } from 'node:util';
import { formatPricePerMTok } from './core/money.ts';
import type { Registry } from './core/registry.ts';
import type { Endpoint } from './registry/endpoints.ts';
import { readRegistry } from './registry/read.ts';
import { printJsonSchema } from './registry/schema.ts';
import { readEnvFile } from './wiring/env-file.ts';
import { printFault, readSetup, registryFaults, type SetupFault } from './wiring/read-setup.ts';

const HELP = `Checks settings and the registry of providers before the service starts.

  npm run check-config                      the environment, and the registry that it names
  npm run check-config -- FILE              one registry file, YAML or JSON
  npm run check-config -- --json [FILE]     the same for programs
  npm run --silent check-config -- --print-schema
                                            the JSON Schema of registry files
Ends with 0 when all is well, 1 when something is wrong, 2 when it was called wrongly.
`;

const EXIT = { valid: 0, invalid: 1, usage: 2 } as const;

/** What was looked at and what was found. */
interface Report {
  readonly file: string;
  /** Null when it could not be read. */
  readonly registry: Registry | null;
  /** Null when the environment was not looked at, or could not be read. */
  readonly endpoints: readonly Endpoint[] | null;
  readonly faults: readonly SetupFault[];
}

async function run(args: readonly string[]): Promise<number> {
  const asked = parseArguments(args);
  switch (asked.kind) {
    case 'usage':
      process.stderr.write(`${asked.message}\n\n${HELP}`);
      return EXIT.usage;
    case 'help':
      process.stdout.write(HELP);
      return EXIT.valid;
    case 'schema':
      process.stdout.write(printJsonSchema());
      return EXIT.valid;
    case 'check': {
      const report = asked.file === null ? await checkEverything() : await checkFile(asked.file);
      process.stdout.write(asked.print(report));
      return report.faults.length === 0 ? EXIT.valid : EXIT.invalid;
    }
    default:
      return asked satisfies never;
  }
}

type Asked =
  | { readonly kind: 'usage'; readonly message: string }
  | { readonly kind: 'help' }
  | { readonly kind: 'schema' }
  /** A file of null: the environment, and the registry that it names. */
  | { readonly kind: 'check'; readonly file: string | null; readonly print: (report: Report) => string };

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  json: { type: 'boolean' },
  'print-schema': { type: 'boolean' },
} as const;

function parseArguments(args: readonly string[]): Asked {
  try {
    const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true });
    if (values.help === true) return { kind: 'help' };
    if (values['print-schema'] === true) return { kind: 'schema' };
    const [file = null, ...more] = positionals;
    if (more.length > 0) return { kind: 'usage', message: `One file at a time, please, not ${positionals.length}.` };
    return { kind: 'check', file, print: values.json === true ? printJson : printText };
  } catch (error) {
    return { kind: 'usage', message: error instanceof Error ? error.message : String(error) };
  }
}

async function checkFile(file: string): Promise<Report> {
  const read = await readRegistry(file);
  const registry = read.kind === 'valid' ? read.registry : null;
  return { file, registry, endpoints: null, faults: registryFaults(file, read) };
}

async function checkEverything(): Promise<Report> {
  readEnvFile();
  const read = await readSetup(process.env);
  if (read.kind === 'invalid') return { ...read, endpoints: null };
  const { file, registry, endpoints } = read.setup;
  return { file, registry, endpoints, faults: [] };
}

function printJson(report: Report): string {
  const { file, registry, faults } = report;
  const priceListVersion = registry?.priceListVersion ?? null;
  const isValid = faults.length === 0;
  return `${JSON.stringify({ isValid, file, priceListVersion, models: rowsOf(report), faults }, null, 2)}\n`;
}

function printText(report: Report): string {
  const { file, registry, faults } = report;
  if (faults.length > 0) return `${faults.map(printFault).join('\n')}\n${faults.length} to mend\n`;
  const version = registry?.priceListVersion ?? '';
  const table = printTable([HEADINGS, ...rowsOf(report).map((row) => Object.values(row))]);
  return `${file}: valid, price list ${version}\n\n${table}\n`;
}

const HEADINGS = ['provider', 'kind', 'model', 'input $/M', 'output $/M', 'per minute', 'answered by'];

/** One row for every model, its fields in the order of HEADINGS. */
function rowsOf({ registry, endpoints }: Report) {
  if (registry === null) return [];
  return registry.providers.flatMap((provider) =>
    provider.models.map((model) => ({
      provider: String(provider.key),
      kind: provider.kind,
      model: model.name,
      inputUsdPerMillion: formatPricePerMTok(model.price.input),
      outputUsdPerMillion: formatPricePerMTok(model.price.output),
      requestsPerMinute: provider.requestsPerMinute,
      answeredBy: describe(endpoints?.find((endpoint) => endpoint.key === provider.key)),
    })),
  );
}

function describe(endpoint: Endpoint | undefined): string {
  if (endpoint === undefined) return '(not checked)';
  if (endpoint.kind === 'real') return endpoint.baseUrl ?? 'the vendor';
  return endpoint.missingVariable === null ? 'mock' : `mock, as ${endpoint.missingVariable} is unset`;
}

function printTable(rows: readonly (readonly (string | number)[])[]): string {
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => String(cell).padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

process.exitCode = await run(process.argv.slice(2));
