import type { FairSharesPort } from '../../ports/fair-shares.ts';
import type { Connection } from './connection.ts';

/** Who waits for slots, on PostgreSQL. What follows from it is a part of every admission. */
export function makePostgresShares({ act }: Connection): FairSharesPort {
  return {
    async noteWaiting(wait) {
      await act((sql) => sql`select switchyard.note_waiting(${JSON.stringify(wait)}::text::jsonb)`);
    },
  };
}
