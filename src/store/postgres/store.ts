import type { ReplicaId } from '../../core/ids.ts';
import type { Registry } from '../../core/registry.ts';
import { modeOf } from '../../core/store-mode.ts';
import { StoreUnavailable } from '../../core/unavailable.ts';
import type { DurableStore } from '../../ports/store.ts';
import { makePostgresAdmission } from './admission.ts';
import { makePostgresApiKeys } from './api-keys.ts';
import { makePostgresAudit } from './audit.ts';
import { makePostgresBooks } from './books.ts';
import { makePostgresEvents } from './breaker-events.ts';
import { makePostgresCallerLimits } from './caller-limits.ts';
import { type ConnectionSettings, connect } from './connection.ts';
import { makePostgresContent } from './content.ts';
import { makeExchange } from './exchange.ts';
import { makePostgresShares } from './fair-shares.ts';
import { forgetReplicas, makePostgresFleet, syncProviders } from './fleet.ts';
import { makePostgresKeys } from './idempotency.ts';
import { makePostgresOperations } from './operations.ts';
import { makeOwnProviders } from './own-providers.ts';
import { makeRecorder } from './record-requests.ts';
import { makePostgresReplay } from './replay.ts';
import { makePostgresRequestLog } from './request-log.ts';
import { makePostgresReserve } from './reserve.ts';
import { makePostgresUpkeep } from './upkeep.ts';
import { makePostgresWire } from './wire.ts';

/** State shared by all replicas of one migrated PostgreSQL 18 database, whether remote or embedded. */
export async function openPostgresStore(
  options: ConnectionSettings & {
    readonly kind: 'postgres' | 'embedded';
    readonly registry: Registry;
    readonly replica: ReplicaId;
  },
): Promise<DurableStore> {
  const connection = connect(options);
  await using opened = new AsyncDisposableStack();
  opened.use(connection);
  const { act, presence } = connection;
  if (options.kind === 'embedded') await forgetReplicas(connection);
  let providerRows = await syncProviders(connection, options);
  const events = opened.use(makePostgresEvents(connection));
  const recorder = makeRecorder(connection);
  const own = makeOwnProviders(options.registry);
  const asker = { replica: options.replica, own };
  const exchange = makeExchange(connection, asker);
  const kept = opened.move();
  return {
    kind: options.kind,
    ...makePostgresAdmission(connection, exchange),
    ...makePostgresOperations(connection, asker),
    ...makePostgresAudit(connection),
    ...makePostgresApiKeys(connection),
    ...makePostgresFleet(connection, { replica: options.replica, providerRows: () => providerRows }),
    ...makePostgresBooks(connection),
    ...makePostgresReplay(connection, { exchange, recorder }),
    ...makePostgresRequestLog(connection, recorder),
    ...makePostgresContent(connection),
    ...makePostgresUpkeep(connection),
    ...makePostgresReserve(connection, asker),
    ...makePostgresKeys(connection),
    ...makePostgresCallerLimits(connection),
    ...makePostgresShares(connection),
    ...makePostgresWire(connection, options),
    range: events.range,
    tail: events.tail,
    findEvent: events.findEvent,
    history: events.history,
    onHint: events.onHint,
    async adopt(registry) {
      providerRows = await syncProviders(connection, { ...options, registry });
      own.adopt(registry);
    },
    absence: () => presence.absence(),
    mode: () => modeOf(presence.absence()),
    async ping() {
      const absence = presence.absence();
      if (absence !== null) throw new StoreUnavailable(absence.why);
      await act((sql) => sql`select 1`);
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
