import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseRegistry, type RegistryResult } from './parse.ts';

/** The registry that comes with the service. */
export const DEFAULT_REGISTRY_PATH = fileURLToPath(new URL('./default.yaml', import.meta.url));

/** Its price list, for demonstration: nobody charges by it. */
export const DEMONSTRATION_PRICES = 'seed-2025-11';

const FILE_BYTES_MAX = 1_000_000;

/** Reads and parses a registry file. A file that cannot be read is a fault like any other. */
export async function readRegistry(path: string): Promise<RegistryResult> {
  try {
    const entry = await stat(path);
    if (!entry.isFile()) return unreadable('is no file: name a YAML or JSON file');
    if (entry.size > FILE_BYTES_MAX) {
      return unreadable(`has ${entry.size} bytes, but a registry has at most ${FILE_BYTES_MAX}: is it the right file?`);
    }
    return parseRegistry(new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path)));
  } catch (error) {
    return unreadable(readFaultMessage(error));
  }
}

/** Why a file cannot be read, and what to do: it follows the file's name. */
export function readFaultMessage(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'does not exist: check the path, which is relative to the working directory';
    case 'EACCES':
    case 'EPERM':
      return 'may not be read by this user: change its permissions';
    case 'ERR_ENCODING_INVALID_ENCODED_DATA':
      return 'is not UTF-8 text: save it as UTF-8';
    default:
      return `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function unreadable(message: string): RegistryResult {
  return { kind: 'invalid', faults: [{ line: 1, column: 1, path: '', message }] };
}
