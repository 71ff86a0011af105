import postgres from 'postgres';
import { Late } from '../time-limit.ts';

/** What a failure of an act says about PostgreSQL, and about the act. */
export type FaultKind =
  /** The server or the way to it is gone, or it cannot do its work. Nobody knows whether the act was done. */
  | 'away'
  /** The server gave it up at its time limit: it was not done, and the connection is well. */
  | 'givenUp'
  /** It met another act: it was not done, and may go through at once. */
  | 'clash'
  /** It was refused, or could not even be sent: the fault lies in what was asked, and that is a bug. */
  | 'refused';

/**
 * SQLSTATEs of a server that is not there for us: connection exceptions, log-in refused (a password that was changed), no such
 * database, out of resources, a fault of its system, shut down or starting, and read-only: a standby, or what was the primary.
 */
const AWAY = /^(?:08|28|3D000|53|58|57P0|25006)/;

const GIVEN_UP = '57014';

/** Serialization failure, deadlock, lock not available. */
const CLASHES = ['40001', '40P01', '55P03'];

/** The client's words for statements that are wrong. All others without an SQLSTATE are about the network. */
const MISUSES = ['UNDEFINED_VALUE', 'MAX_PARAMETERS_EXCEEDED', 'NOT_TAGGED_CALL', 'UNSAFE_TRANSACTION'];

const BUGS = [TypeError, RangeError, SyntaxError, ReferenceError];

export function faultKindOf(error: unknown): FaultKind {
  if (error instanceof Late) return 'away';
  if (error instanceof postgres.PostgresError) {
    if (error.code === GIVEN_UP) return 'givenUp';
    if (CLASHES.includes(error.code)) return 'clash';
    return AWAY.test(error.code) ? 'away' : 'refused';
  }
  if (!(error instanceof Error) || BUGS.some((bug) => error instanceof bug)) return 'refused';
  const isMisuse = 'code' in error && MISUSES.some((code) => code === error.code);
  return isMisuse ? 'refused' : 'away';
}

/** Whether PostgreSQL refused a statement for what it was given: nothing of it was done. */
export function isRefusal(error: unknown): boolean {
  return error instanceof postgres.PostgresError && faultKindOf(error) === 'refused';
}
