import { decodeFields, decodeList, decodeText, type Fields } from '../../core/decode.ts';
import { type ProviderKey, providerKey } from '../../core/ids.ts';
import { knownWith, type Registry } from '../../core/registry.ts';

/** The providers of a replica's own registry, among all that the database may know. */
export interface OwnProviders {
  /** Picks them from a list, as the database answers it, in the order of `knownWith`. */
  pick(value: unknown): readonly Fields[];
  adopt(registry: Registry): void;
}

/**
 * The database may know other providers: replicas with different registries may share it, while a new registry is rolled out for
 * one. They are left out before anything of them is read: a later version may say of them what this one does not know.
 */
export function makeOwnProviders(registry: Registry): OwnProviders {
  let placeOf: ReadonlyMap<ProviderKey, number> = new Map();
  const adopt = (next: Registry) => {
    placeOf = new Map(knownWith(next, placeOf.keys()).map((key, place) => [key, place]));
  };
  adopt(registry);
  return {
    adopt,
    pick: (value) =>
      decodeList(value, decodeFields)
        .flatMap((fields) => {
          const place = placeOf.get(providerKey(decodeText(fields.provider)));
          return place === undefined ? [] : [{ fields, place }];
        })
        .toSorted((first, second) => first.place - second.place)
        .map(({ fields }) => fields),
  };
}
