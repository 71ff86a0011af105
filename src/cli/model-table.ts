import { formatPricePerMTok } from '../core/money.ts';
import type { Registry } from '../core/registry.ts';
import type { Endpoint } from '../registry/endpoints.ts';

interface Said {
  /** Null when it could not be read. */
  readonly registry: Registry | null;
  /** Null when the environment was not looked at. */
  readonly endpoints: readonly Endpoint[] | null;
}

const HEADINGS = ['provider', 'kind', 'model', 'input $/M', 'output $/M', 'per minute', 'answered by'];

/** One row for every model, its fields in the order of HEADINGS. */
export function modelRows({ registry, endpoints }: Said) {
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

export function printModels(said: Said): string {
  return printTable([HEADINGS, ...modelRows(said).map((row) => Object.values(row).map(String))]);
}

/** Columns as wide as their widest cell. */
export function printTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

function describe(endpoint: Endpoint | undefined): string {
  if (endpoint === undefined) return '(not checked)';
  if (endpoint.kind === 'real') return endpoint.baseUrl ?? 'the vendor';
  return endpoint.missingVariable === null ? 'mock' : `mock, as ${endpoint.missingVariable} is unset`;
}
