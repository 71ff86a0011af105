import { replicaId } from '../../src/core/ids.ts';
import { connect } from '../../src/store/postgres/connection.ts';
import { openPostgresStore } from '../../src/store/postgres/store.ts';
import { SYSTEM_CLOCK } from '../../src/wiring/system.ts';
import { SILENT_LOG } from '../fakes/log.ts';

type Options = Parameters<typeof openPostgresStore>[0];

/** A store on a test's database, with more patience than a user has: the tests' machine is busy. */
export function openTestStore(options: Omit<Options, 'clock' | 'timeoutMs'> & Partial<Options>) {
  return openPostgresStore({ clock: SYSTEM_CLOCK, timeoutMs: 10_000, ...options });
}

/** The lanes to a test's database, with the same patience. */
export function connectToTest(url: string) {
  return connect({ url, replica: replicaId('test'), timeoutMs: 10_000, clock: SYSTEM_CLOCK, log: SILENT_LOG });
}
