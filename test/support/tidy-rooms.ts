import { posix } from 'node:path';
import { type Import, importsOf } from './tidy-source.ts';

interface Room {
  /** Other rooms that it may import; its own it always may. `*` for all. */
  readonly rooms: readonly string[];
  /** Packages that it may import. What ends in `:` or `/` is a beginning. `*` for all. */
  readonly packages: readonly string[];
}

/** The table of ARCHITECTURE.md, row by row: a folder of `src`, or a file beside the folders. */
export const ROOMS: Readonly<Record<string, Room>> = {
  core: { rooms: [], packages: [] },
  ports: { rooms: ['core'], packages: [] },
  gateway: { rooms: ['core', 'ports'], packages: [] },
  providers: { rooms: ['core', 'ports'], packages: ['node:', '@ai-sdk/', 'zod'] },
  'store/memory': { rooms: ['core', 'ports'], packages: ['node:'] },
  'store/postgres': { rooms: ['core', 'ports', 'store/time-limit'], packages: ['node:', 'drizzle-orm', 'postgres'] },
  'store/embedded': { rooms: ['core', 'ports', 'store/folder-lock'], packages: ['node:', 'postgres'] },
  'store/journal': { rooms: ['core', 'ports', 'store/folder-lock', 'store/time-limit'], packages: ['node:'] },
  // Core's own rules decide for the accounts that go on: the memory store is how they are applied.
  'store/outage': { rooms: ['core', 'ports', 'store/memory', 'store/time-limit'], packages: [] },
  'store/time-limit': { rooms: ['ports'], packages: [] },
  'store/folder-lock': { rooms: [], packages: ['node:'] },
  graphql: { rooms: ['core', 'gateway'], packages: ['graphql', '@pothos/', 'zod'] },
  http: {
    rooms: ['core', 'ports', 'gateway', 'graphql'],
    packages: ['node:', 'graphql', 'graphql-yoga', '@graphql-yoga/', 'graphql-ws', 'ws', 'zod'],
  },
  telemetry: { rooms: ['core', 'ports'], packages: ['node:', 'pino', '@opentelemetry/', 'prom-client'] },
  registry: { rooms: ['core', 'settings'], packages: ['node:', 'yaml', 'zod'] },
  settings: { rooms: ['core'], packages: ['node:net'] },
  config: { rooms: ['core', 'settings'], packages: [] },
  wiring: { rooms: ['*'], packages: ['node:', 'undici'] },
  app: { rooms: ['*'], packages: ['*'] },
  main: { rooms: ['cli', 'wiring'], packages: ['node:'] },
  // Commands start what there is, look at it, or ask a gateway that runs, with the spans and moments of its API.
  cli: {
    rooms: [
      'app',
      'core',
      'ports',
      'config',
      'client-config',
      'settings',
      'registry',
      'providers',
      'graphql',
      'telemetry',
      'wiring',
      'store/postgres',
      'store/embedded',
    ],
    packages: ['node:'],
  },
  'client-config': { rooms: ['settings'], packages: [] },
  // The page. What feeds it and what draws it know one another only by the picture between them.
  'dashboard/documents.generated': { rooms: [], packages: [] },
  'dashboard/model': { rooms: ['dashboard/documents.generated'], packages: ['@preact/signals'] },
  'dashboard/live': {
    rooms: ['dashboard/documents.generated', 'dashboard/model'],
    packages: ['@preact/signals', 'graphql-ws'],
  },
  'dashboard/view': { rooms: ['dashboard/model', 'dashboard/style'], packages: ['preact', '@preact/signals'] },
  'dashboard/style': { rooms: [], packages: [] },
  'dashboard/browser': { rooms: ['dashboard/live'], packages: [] },
  'dashboard/main': {
    rooms: ['dashboard/browser', 'dashboard/live', 'dashboard/view', 'dashboard/style'],
    packages: ['preact'],
  },
  'dashboard/build': { rooms: [], packages: ['node:', 'graphql', '@graphql-codegen/'] },
  'dashboard/vite.config': { rooms: ['dashboard/build'], packages: ['node:', 'vite'] },
};

/** Rooms to which `core` is a dictionary: they ask, they never decide. */
const DOORS = ['graphql', 'http', 'telemetry'];
/** Files of `core` that hold nothing but words, brands and forms. */
const DICTIONARY = ['src/core/ids.ts', 'src/core/money.ts', 'src/core/time.ts'];
/** Constants and classes; questions; readers and writers of text; what follows from a value. */
const QUESTION = /^[A-Z]|^(?:parse|format|describe|is|has|find)[A-Z]|Of$/;

/** The room of a file. Null for a file in `src` or `dashboard` that has no row in the table, and for everything outside. */
export function roomOf(path: string): string | null {
  const inside = /^(?:src\/(.+)|(dashboard\/.+))\.(?:tsx?|css)$/
    .exec(path)
    ?.slice(1)
    .find((part) => part !== undefined);
  if (inside === undefined) return null;
  return Object.keys(ROOMS).find((room) => inside === room || inside.startsWith(`${room}/`)) ?? null;
}

/** The file that a relative import means. Null for a package. */
function targetOf(path: string, { specifier }: Import): string | null {
  return specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : null;
}

/** Why a file of a room may not import this. Null when it may. */
export function importBreach(path: string, wanted: Import): string | null {
  const name = roomOf(path);
  const room = name === null ? undefined : ROOMS[name];
  if (name === null || room === undefined) return null;
  const target = targetOf(path, wanted);
  if (target === null) {
    return room.packages.some((allowed) => isWithin(wanted.specifier, allowed))
      ? null
      : `${name} may not import the package ${wanted.specifier}`;
  }
  const other = roomOf(target);
  if (other === null) return `${target} is in no room of the table`;
  if (other !== name && !room.rooms.includes(other) && !room.rooms.includes('*'))
    return `${name} may not import ${other}`;
  return doorBreach({ name, target, wanted });
}

/** Loops among the imports of files, types included: each as the files along it, the first one repeated at the end. */
export function cyclesAmong(files: ReadonlyMap<string, string>): readonly (readonly string[])[] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const walk = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start !== -1) cycles.push([...trail.slice(start), path]);
    if (start !== -1 || done.has(path)) return;
    for (const wanted of importsOf(files.get(path) ?? '')) {
      const target = targetOf(path, wanted);
      if (target !== null) walk(target, [...trail, path]);
    }
    done.add(path);
  };
  for (const path of files.keys()) walk(path, []);
  return cycles;
}

function doorBreach({ name, target, wanted }: { name: string; target: string; wanted: Import }): string | null {
  const isFree = !DOORS.includes(name) || !target.startsWith('src/core/') || DICTIONARY.includes(target);
  const decisions = isFree ? [] : wanted.values.filter((value) => !QUESTION.test(value));
  return decisions.length === 0 ? null : `${name} may not decide: it imports ${decisions.join(', ')} from ${target}`;
}

function isWithin(specifier: string, allowed: string): boolean {
  if (allowed === '*' || specifier === allowed) return true;
  return specifier.startsWith(/[:/]$/.test(allowed) ? allowed : `${allowed}/`);
}
