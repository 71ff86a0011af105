import { withWaiting } from '../../core/fair-share.ts';
import type { FairSharesPort } from '../../ports/fair-shares.ts';
import { type MemoryState, providerIn } from './state.ts';

/** Who waits for slots, on memory. */
export function makeMemoryShares(state: MemoryState): FairSharesPort {
  return {
    async noteWaiting({ tenant, at }) {
      for (const { provider, untilMs } of at) {
        const known = providerIn(state, provider);
        known.shares = withWaiting(known.shares, { tenant, untilMs }, state.now());
      }
    },
  };
}
