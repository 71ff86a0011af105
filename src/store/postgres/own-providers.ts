import type { ProviderKey } from '../../core/ids.ts';
import type { Registry } from '../../core/registry.ts';

/**
 * The providers of a replica's own registry, in its order. The database may know others: replicas with different registries
 * may share it, while a new registry is rolled out for one.
 */
export function makeOwnProviders(registry: Registry) {
  const placeOf = new Map(registry.providers.map(({ key }, place) => [key, place]));
  return <Item>(known: readonly Item[], keyOf: (item: Item) => ProviderKey): readonly Item[] =>
    known
      .flatMap((item) => {
        const place = placeOf.get(keyOf(item));
        return place === undefined ? [] : [{ item, place }];
      })
      .toSorted((first, second) => first.place - second.place)
      .map(({ item }) => item);
}
