import { decodeNumber, decodeText } from '../../core/decode.ts';
import { type HoldId, holdId, type ReplicaId } from '../../core/ids.ts';
import { NO_STANDING } from '../../core/verdict.ts';
import type { Settlement } from '../../ports/admission.ts';
import type { KeepableAct, ReplayPort, SentCall } from '../../ports/replay.ts';
import type { Connection } from './connection.ts';
import { encodeSettle, encodeSpend } from './encode-exchange.ts';
import type { Exchange } from './exchange.ts';
import { carryOutEnd, encodeEnd } from './idempotency.ts';
import { encodeRecord, type Recorder } from './record-requests.ts';

/** What stands before the JSON of an act says which it is. */
const MARK = { settle: 'S', record: 'R', endClaim: 'K' } as const;

/** Acts as text: the JSON that the functions of drizzle/ take, so that what was kept is what is carried out. */
export function makePostgresReplay(
  connection: Connection,
  { exchange, recorder }: { readonly exchange: Exchange; readonly recorder: Recorder },
): ReplayPort {
  return {
    encode: encodeAct,
    async carryOut(text) {
      const said = text.slice(1);
      switch (text[0]) {
        case MARK.settle:
          return await exchange.settle(said);
        case MARK.record:
          await recorder.recordText(said);
          return { kind: 'done' };
        case MARK.endClaim:
          return { kind: (await carryOutEnd(connection, said)) ? 'done' : 'claimLost' };
        default:
          throw new TypeError(
            `no act begins with ${JSON.stringify(text.slice(0, 20))}: it was kept by a later version`,
          );
      }
    },
    async voidUnsent(replica, sent) {
      // No request waits for it, and there may be much to give back after an outage.
      const rows = await connection.upkeep(
        (
          sql,
        ) => sql`select id from switchyard.hold where replica = ${replica} and provider <> '' and state in ('held', 'expired')
          and id <> all (${sent.map((call) => call.holdId)}::uuid[])`,
      );
      const ids = rows.map((row) => holdId(decodeText(row.id)));
      await Promise.all(ids.map((id) => exchange.settle(encodeSettle(neverSent(id)))));
      return ids.length + (await giveBackSlices(connection.upkeep, replica, sent));
    },
  };
}

/** Slices go last: by now what was paid from them is known here, unless its end was never kept. */
async function giveBackSlices(
  upkeep: Connection['upkeep'],
  replica: ReplicaId,
  sent: readonly SentCall[],
): Promise<number> {
  const calls = sent.filter(({ slice }) => slice !== null);
  const [row] = await upkeep(
    (sql) => sql`select switchyard.give_back_slices(${replica}, array(
      select slice from unnest(${calls.map((call) => call.holdId)}::uuid[], ${calls.map((call) => call.slice)}::uuid[]) call(id, slice)
      where not exists (select 1 from switchyard.hold h where h.id = call.id))) as answer`,
  );
  return decodeNumber(row?.answer);
}

/** As text: it needs no database. */
export function encodeAct(act: KeepableAct): string {
  switch (act.kind) {
    case 'settle':
      return MARK.settle + encodeSettle(act.settlement);
    case 'spend':
      return MARK.settle + encodeSpend(act.draw, act.settlement);
    case 'record':
      return MARK.record + encodeRecord(act.record);
    case 'endClaim':
      return MARK.endClaim + encodeEnd(act.holder, act.end);
    default:
      return act satisfies never;
  }
}

function neverSent(id: HoldId): Settlement {
  return { holdId: id, charge: { kind: 'nothing' }, jitter: 0, ...NO_STANDING };
}
