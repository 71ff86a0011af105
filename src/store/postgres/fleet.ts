import type { Fleet } from '../../core/fleet.ts';
import type { ReplicaId } from '../../core/ids.ts';
import type { FleetPort } from '../../ports/fleet.ts';
import type { Connection } from './connection.ts';
import { decodeFields, decodeList, decodeNumber, decodeText } from './decode.ts';

/** The replicas of one database, each with a row that it keeps fresh by the database's clock. */
export function makePostgresFleet({ act }: Connection, replica: ReplicaId): FleetPort {
  return {
    async beat(heartbeat) {
      const said = JSON.stringify({ ...heartbeat, replica });
      const [row] = await act((sql) => sql`select switchyard.beat(${said}::text::jsonb) as answer`);
      return decodeFleet(row?.answer);
    },
    async leave() {
      await act((sql) => sql`delete from switchyard.replica where id = ${replica}`);
    },
  };
}

function decodeFleet(value: unknown): Fleet {
  return decodeList(value, (share) => {
    const { configHash, replicas } = decodeFields(share);
    return { configHash: decodeText(configHash), replicas: decodeNumber(replicas) };
  });
}
