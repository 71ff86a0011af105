import { decodeFields, decodeList, decodeNumber, decodeText } from '../../core/decode.ts';
import { describeFleet, type Fleet } from '../../core/fleet.ts';
import type { ReplicaId } from '../../core/ids.ts';
import type { Registry } from '../../core/registry.ts';
import type { FleetPort } from '../../ports/fleet.ts';
import type { Log } from '../../ports/log.ts';
import type { Connection } from './connection.ts';

/** The replicas of one database, each with a row that it keeps fresh by the database's clock. */
export function makePostgresFleet(
  { act }: Connection,
  self: { readonly replica: ReplicaId; readonly providerRows: () => string },
): FleetPort {
  return {
    async beat(heartbeat) {
      const said = JSON.stringify({ ...heartbeat, replica: self.replica, providerRows: self.providerRows() });
      const [row] = await act((sql) => sql`select switchyard.beat(${said}::text::jsonb) as answer`);
      return decodeFleet(row?.answer);
    },
    async leave() {
      await act((sql) => sql`delete from switchyard.replica where id = ${self.replica}`);
    },
  };
}

/** For a database that only this process can reach: whoever else has a row there was killed. */
export async function forgetReplicas({ act }: Connection): Promise<void> {
  await act((sql) => sql`delete from switchyard.replica`);
}

/**
 * Makes the provider rows that a registry asks for: the replica that asks last wins, and says so when the others that live
 * asked for other rows. Answers a fingerprint of the rows.
 */
export async function syncProviders(
  { upkeep }: Connection,
  of: { readonly registry: Registry; readonly replica: ReplicaId; readonly log: Log },
): Promise<string> {
  const { registry, replica, log } = of;
  const rows = JSON.stringify(registry.providers.map(({ key, requestsPerMinute }) => ({ key, requestsPerMinute })));
  // One that runs already is not among the others that asked for something else.
  await upkeep(
    (sql) => sql`update switchyard.replica set provider_rows = md5(${rows}::text::jsonb::text) where id = ${replica}`,
  );
  // No request waits for it, and the first time it makes a row for every slot of every limit.
  const [row] = await upkeep((sql) => sql`select switchyard.sync_providers(${rows}::text::jsonb) as answer`);
  const answer = decodeFields(row?.answer);
  const changed = decodeList(answer.changed, decodeText);
  const others = decodeFleet(answer.others);
  if (changed.length > 0 && others.length > 0) {
    log.warn('the limits and the order of providers are now those of this replica, and live replicas have others', {
      changed: changed.join(', '),
      others: describeFleet(others),
    });
  }
  return decodeText(answer.providerRows);
}

function decodeFleet(value: unknown): Fleet {
  return decodeList(value, (share) => {
    const { configHash, replicas } = decodeFields(share);
    return { configHash: decodeText(configHash), replicas: decodeNumber(replicas) };
  });
}
