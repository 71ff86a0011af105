import { decodeFields, decodeInstant, decodeList, decodeMoney, decodeNumber, decodeText } from '../../core/decode.ts';
import { decodeAccount } from '../../core/decode-account.ts';
import { holdId, providerKey, type ReplicaId } from '../../core/ids.ts';
import { SLICE } from '../../core/slices.ts';
import type { Reserved, ReservedSlot, ReservePort, ReserveWish } from '../../ports/reserve.ts';
import type { Connection } from './connection.ts';
import { decodeProviderState } from './decode-provider.ts';
import type { Asker } from './exchange.ts';
import type { OwnProviders } from './own-providers.ts';

/** What a replica reserves, on PostgreSQL: one function of drizzle/. It has the time of a read: no request waits for it. */
export function makePostgresReserve({ read }: Connection, { replica, own }: Asker): ReservePort {
  return {
    async reserve(wish) {
      const asked = encodeWish(wish, replica);
      const [row] = await read((sql) => sql`select switchyard.reserve(${asked}::text::jsonb) as answer`);
      return decodeReserved(row?.answer, own);
    },
  };
}

function encodeWish(wish: ReserveWish, replica: ReplicaId): string {
  const { slots } = wish;
  const said = (list: readonly ReservedSlot[]) =>
    list.map(({ provider, slot, freeAtMs }) => [provider, slot, freeAtMs]);
  return JSON.stringify({
    replica,
    keep: wish.keep,
    renew: wish.renew,
    take: wish.take.map((slice) => ({ ...slice, defaultCap: slice.defaultCap?.toString() ?? null })),
    amountMax: wish.amountMax.toString(),
    amountMin: SLICE.amountMin.toString(),
    partsOfAvailable: SLICE.partsOfAvailable,
    leaseMs: SLICE.leaseMs,
    graceMs: SLICE.graceMs,
    slots: {
      renew: said(slots.renew),
      giveBack: said(slots.giveBack),
      take: slots.take.map(({ provider, count, leave }) => [provider, count, leave]),
    },
  });
}

function decodeReserved(value: unknown, own: OwnProviders): Reserved {
  const fields = decodeFields(value);
  const providers = own.pick(fields.providers);
  return {
    nowMs: decodeInstant(fields.nowMs),
    slices: decodeList(fields.slices, (slice) => {
      const { id, amount, accounts } = decodeFields(slice);
      const [account, ...also] = decodeList(accounts, decodeAccount);
      if (account === undefined) throw new TypeError('the database does not say whose money a slice is');
      return { id: holdId(decodeText(id)), amount: decodeMoney(amount), account, also };
    }),
    slots: decodeList(fields.slots, decodeSlot),
    free: new Map(providers.map(({ provider, free }) => [providerKey(decodeText(provider)), decodeNumber(free)])),
    providers: providers.map(decodeProviderState),
  };
}

function decodeSlot(value: unknown): ReservedSlot {
  const [provider, slot, freeAtMs] = decodeList(value, (part) => part);
  return {
    provider: providerKey(decodeText(provider)),
    slot: decodeNumber(slot),
    freeAtMs: decodeInstant(freeAtMs),
  };
}
