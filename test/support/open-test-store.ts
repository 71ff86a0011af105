import { openPostgresStore } from '../../src/store/postgres/store.ts';
import { SYSTEM_CLOCK } from '../../src/wiring/system.ts';

type Options = Parameters<typeof openPostgresStore>[0];

/** A store on a test's database, with more patience than a user has: the tests' machine is busy. */
export function openTestStore(options: Omit<Options, 'clock' | 'timeoutMs'> & Partial<Options>) {
  return openPostgresStore({ clock: SYSTEM_CLOCK, timeoutMs: 10_000, ...options });
}
