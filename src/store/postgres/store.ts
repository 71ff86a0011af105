import type { ReplicaId } from '../../core/ids.ts';
import type { Registry } from '../../core/registry.ts';
import type { Log } from '../../ports/log.ts';
import type { Store } from '../../ports/store.ts';
import { makePostgresAdmission } from './admission.ts';
import { makePostgresEvents } from './breaker-events.ts';
import { connect } from './connection.ts';
import { makePostgresOperations } from './operations.ts';
import { makePostgresRequestLog } from './request-log.ts';
import { makePostgresUpkeep } from './upkeep.ts';

/** State shared by all replicas of one migrated PostgreSQL 18 database, whether remote or embedded. */
export async function openPostgresStore(options: {
  readonly kind: 'postgres' | 'embedded';
  readonly url: string;
  readonly registry: Registry;
  readonly replica: ReplicaId;
  readonly log: Log;
}): Promise<Store> {
  const connection = connect(options.url);
  await using opened = new AsyncDisposableStack();
  opened.use(connection);
  const providers = options.registry.providers.map(({ key, requestsPerMinute }) => ({ key, requestsPerMinute }));
  await connection.act((sql) => sql`select switchyard.sync_providers(${JSON.stringify(providers)}::text::jsonb)`);
  const events = opened.use(makePostgresEvents(connection, options.log));
  const kept = opened.move();
  return {
    kind: options.kind,
    ...makePostgresAdmission(connection, options.replica),
    ...makePostgresOperations(connection, options.replica),
    ...makePostgresRequestLog(connection),
    ...makePostgresUpkeep(connection),
    range: events.range,
    tail: events.tail,
    findEvent: events.findEvent,
    history: events.history,
    onHint: events.onHint,
    ping: async () => {
      await connection.act((sql) => sql`select 1`);
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
