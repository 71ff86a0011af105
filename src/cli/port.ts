import { SETTINGS } from '../settings.ts';
import type { Shell } from './shell.ts';

/** The port of an option. Null: none was named. */
export function parsePort(text: string | undefined): number | null | 'neither' {
  return text === undefined ? null : (SETTINGS.port.parse(text) ?? 'neither');
}

/** The environment with the port of an option in it. */
export function withPort(env: Shell['env'], port: number | null): Shell['env'] {
  return port === null ? env : { ...env, [SETTINGS.port.name]: String(port) };
}
