import { readFileSync } from 'node:fs';

/** The version of the software, from package.json. */
export const version = readVersion();

function readVersion(): string {
  const text: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const isPackage = typeof text === 'object' && text !== null && 'version' in text;
  return isPackage && typeof text.version === 'string' ? text.version : 'unknown';
}
