import { decodeFields, decodeList, decodeText, type Fields } from '../../core/decode.ts';
import { providerKey } from '../../core/ids.ts';
import type { Registry } from '../../core/registry.ts';

/** Picks from a list of providers, as the database answers it, those of a replica's own registry, in its order. */
export type OwnProviders = (value: unknown) => readonly Fields[];

/**
 * The database may know other providers: replicas with different registries may share it, while a new registry is rolled out for
 * one. They are left out before anything of them is read: a later version may say of them what this one does not know.
 */
export function makeOwnProviders(registry: Registry): OwnProviders {
  const placeOf = new Map(registry.providers.map(({ key }, place) => [key, place]));
  return (value) =>
    decodeList(value, decodeFields)
      .flatMap((fields) => {
        const place = placeOf.get(providerKey(decodeText(fields.provider)));
        return place === undefined ? [] : [{ fields, place }];
      })
      .toSorted((first, second) => first.place - second.place)
      .map(({ fields }) => fields);
}
