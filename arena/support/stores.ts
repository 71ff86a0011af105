import { replicaId } from '../../src/core/ids.ts';
import type { Registry } from '../../src/core/registry.ts';
import type { DurableStore } from '../../src/ports/store.ts';
import { SILENT_LOG } from '../../test/fakes/log.ts';
import { openTestStore } from '../../test/support/open-test-store.ts';

/** Stores as replicas have them, without their journals and in our own process: for acts that no door offers one by one. */
export async function openStores(
  stack: AsyncDisposableStack,
  of: { readonly url: string; readonly registry: Registry; readonly count: number },
): Promise<readonly DurableStore[]> {
  const stores: DurableStore[] = [];
  for (let place = 1; place <= of.count; place += 1) {
    const options = { kind: 'postgres', url: of.url, registry: of.registry, log: SILENT_LOG } as const;
    stores.push(stack.use(await openTestStore({ ...options, replica: replicaId(`store ${place}`) })));
  }
  return stores;
}
