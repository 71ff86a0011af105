import { describeFleet, differingFrom, FLEET_LIVE_MS, type Fleet, isAgreed, replicasOf } from '../core/fleet.ts';
import { StoreUnavailable } from '../core/unavailable.ts';
import type { GatewayDeps } from './deps.ts';
import { startPump } from './pump.ts';

/** How often a replica says that it lives. Several may be missed before it counts as gone. */
const HEARTBEAT_MS = 5_000;

/** This replica's place among those that share the store. Disposing of it takes it out of the count. */
export interface FleetMember extends AsyncDisposable {
  /** The fleet as it was last seen. This replica alone when nothing was seen for a minute: the store is away, or was never there. */
  fleet(): Fleet;
}

export function joinFleet(
  deps: Pick<GatewayDeps, 'store' | 'clock' | 'log' | 'meters' | 'info' | 'configurations'>,
): FleetMember {
  const { store, clock, log, meters } = deps;
  const heartbeat = () => {
    const { registry, configHash } = deps.configurations.now();
    return { version: deps.info.version, configHash, priceListVersion: registry.priceListVersion };
  };
  const alone = (): Fleet => [{ configHash: heartbeat().configHash, replicas: 1 }];
  /** The disagreement that was last told. Null while all agree. */
  let told: string | null = null;
  let seen: { readonly fleet: Fleet; readonly atMs: number } | null = null;

  const fleet = () => (seen === null || clock.elapsedMs() - seen.atMs >= FLEET_LIVE_MS ? alone() : seen.fleet);
  const tell = () => {
    const { configHash } = heartbeat();
    const word = isAgreed(fleet()) ? null : describeFleet(fleet());
    if (word === told) return;
    if (word === null) log.info('all replicas on this store have one configuration again', { configHash });
    else log.warn('replicas on this store have different configurations', { fleet: word, configHash });
    told = word;
  };
  const beat = async () => {
    try {
      seen = { fleet: await store.beat(heartbeat()), atMs: clock.elapsedMs() };
      tell();
      meters.storeUp.set(1);
    } catch (error) {
      // Those who need the store say that it is away. Here it is no news, and goes on by itself.
      if (!(error instanceof StoreUnavailable)) throw error;
      meters.storeUp.set(0);
      log.debug('no heartbeat: the store is away', { reason: error.reason });
    } finally {
      meters.replicas.set(replicasOf(fleet()));
      meters.replicasDiffering.set(differingFrom(heartbeat().configHash, fleet()));
    }
  };
  const pump = startPump({ clock, log, everyMs: HEARTBEAT_MS, isNeeded: () => true, act: beat });
  pump.wake();
  // The others, and whoever looks at them, should not take this one for what it was.
  const changes = deps.configurations.onExchange(pump.wake);
  return {
    fleet,
    async [Symbol.asyncDispose]() {
      changes[Symbol.dispose]();
      await pump[Symbol.asyncDispose]();
      try {
        await store.leave();
      } catch (error) {
        log.debug('this replica could not say that it stops: it counts for a minute more', { error: String(error) });
      }
    },
  };
}
