import { findProvider } from '../core/registry.ts';
import { StoreUnavailable } from '../core/unavailable.ts';
import type { GatewayDeps } from './deps.ts';
import { type Pump, startPump } from './pump.ts';

/** How often the meters of providers are set, and how many changes of breakers are read at once. */
const STANDINGS = { everyMs: 5_000, pageMax: 500 } as const;

/**
 * Keeps the meters of providers: how each stands that may be asked, and the changes of breakers that this replica brought about.
 * Out of the store, since a change may be made in the background, and by others. While the store is away they stay as they were.
 */
export function startStandings(
  deps: Pick<GatewayDeps, 'store' | 'clock' | 'log' | 'meters' | 'configurations' | 'info'>,
): Pump {
  const { store, meters } = deps;
  /** Changes up to here were counted. Null: none was looked at, and what was before this replica is not its own. */
  let counted: number | null = null;

  const look = async () => {
    const { providers } = await store.survey();
    const { registry } = deps.configurations.now();
    meters.providersSeen(
      providers.flatMap(({ state, slotsUsed }) => {
        const { provider, breaker, isEnabled } = state;
        const spec = findProvider(registry, provider);
        // The store remembers those that left, too. Of one that nobody may ask, no breaker is anybody's concern.
        if (spec === undefined || !isEnabled) return [];
        return [
          { provider, breaker: breaker.circuit.kind, slotsLeft: Math.max(0, spec.requestsPerMinute - slotsUsed) },
        ];
      }),
    );
    counted ??= (await store.range()).newest;
    const events = await store.tail(counted, STANDINGS.pageMax);
    for (const { provider, transition, replica, sequence } of events) {
      if (replica === deps.info.replica) meters.breakerChanged(provider, transition);
      counted = sequence;
    }
    if (events.length === STANDINGS.pageMax) pump.wake();
  };
  const lookIfThere = async () => {
    try {
      await look();
    } catch (error) {
      // Those who need the store say that it is away, and the next look is in five seconds.
      if (!(error instanceof StoreUnavailable)) throw error;
    }
  };
  const pump = startPump({ ...deps, everyMs: STANDINGS.everyMs, isNeeded: () => true, act: lookIfThere });
  pump.wake();
  return pump;
}
