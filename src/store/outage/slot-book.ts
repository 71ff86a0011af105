import type { ProviderKey } from '../../core/ids.ts';
import type { Registry } from '../../core/registry.ts';
import { areSlotsScarce, SLICE, slotsToLeave, slotsWanted } from '../../core/slices.ts';
import type { Reserved, ReservedSlot, ReserveWish } from '../../ports/reserve.ts';

/** For so many renewals an admission counts as lately: the time of one lease. */
const LATELY = SLICE.leaseMs / SLICE.renewEveryMs;

/** The slots of rolling limits that this replica has reserved, each for one attempt. */
export interface SlotBook {
  /** An attempt was admitted on it, by whomever. */
  noteUse(provider: ProviderKey): void;
  /** Slots not used yet. */
  left(provider: ProviderKey): number;
  /** Uses one. */
  use(provider: ProviderKey): void;
  /** True while nothing is reserved. */
  isEmpty(): boolean;
  /** What to ask for at a renewal. What goes back is not used any more from now on. `isNeeded`: there is money to spend. */
  wish(isNeeded: boolean): ReserveWish['slots'];
  /** From now on slots of these providers are reserved; of those that left the registry they go back. */
  adopt(registry: Registry): void;
  /** What a renewal answered. */
  told(reserved: Pick<Reserved, 'slots' | 'free'>): void;
}

export function makeSlotBook(registry: Registry): SlotBook {
  let { providers } = registry;
  let slots = new Map<ProviderKey, ReservedSlot[]>();
  let free: Reserved['free'] = new Map();
  /** Used since the last wish: what it answers must not bring them back. */
  let spent: ReservedSlot[] = [];
  /** Admissions by provider between two renewals, the newest first. */
  let uses: readonly Map<ProviderKey, number>[] = [new Map()];

  const left = (provider: ProviderKey) => slots.get(provider)?.length ?? 0;
  const noteUse = (provider: ProviderKey) => {
    const [newest] = uses;
    newest?.set(provider, (newest.get(provider) ?? 0) + 1);
  };
  const usedLately = (provider: ProviderKey) => uses.reduce((sum, counts) => sum + (counts.get(provider) ?? 0), 0);
  const isKnown = (provider: ProviderKey) => providers.some(({ key }) => key === provider);
  const isScarce = (provider: ProviderKey, limit: number) => {
    const count = free.get(provider);
    return count !== undefined && areSlotsScarce(limit, count);
  };

  return {
    noteUse,
    left,
    use(provider) {
      const slot = slots.get(provider)?.pop();
      if (slot === undefined) throw new RangeError(`no slot of ${provider} is reserved`);
      spent.push(slot);
      noteUse(provider);
    },
    isEmpty: () => slots.values().every((reserved) => reserved.length === 0),
    wish(isNeeded) {
      const giveBack: ReservedSlot[] = [];
      for (const [key, reserved] of slots) if (!isKnown(key)) giveBack.push(...reserved.splice(0));
      const take: ReserveWish['slots']['take'][number][] = [];
      for (const { key, requestsPerMinute: limit } of providers) {
        const wanted = isNeeded && !isScarce(key, limit) ? slotsWanted(limit, usedLately(key)) : 0;
        giveBack.push(...(slots.get(key)?.splice(wanted) ?? []));
        const count = wanted - left(key);
        if (count > 0) take.push({ provider: key, count, leave: slotsToLeave(limit) });
      }
      spent = [];
      uses = [new Map<ProviderKey, number>(), ...uses].slice(0, LATELY);
      return { renew: [...slots.values()].flat(), giveBack, take };
    },
    adopt(next) {
      providers = next.providers;
    },
    told(reserved) {
      const gone = new Set(spent.map(nameOf));
      slots = Map.groupBy(
        reserved.slots.filter((slot) => !gone.has(nameOf(slot))),
        (slot) => slot.provider,
      );
      free = reserved.free;
    },
  };
}

function nameOf({ provider, slot }: ReservedSlot): string {
  return `${provider} ${slot}`;
}
