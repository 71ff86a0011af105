import postgres from 'postgres';

/** Whether PostgreSQL refused a statement: nothing of it was done, and the fault lies in what it was given. */
export function isRefusal(error: unknown): boolean {
  return error instanceof postgres.PostgresError;
}
