import { decodeBoolean, decodeFields, decodeList, decodeMoney, decodeText } from '../../core/decode.ts';
import { accountKey, holdId, requestId } from '../../core/ids.ts';
import { LEASE } from '../../core/leases.ts';
import type { AdmissionPort, ExpiredHold } from '../../ports/admission.ts';
import type { Connection } from './connection.ts';
import { encodeSettle } from './encode-exchange.ts';
import type { Exchange } from './exchange.ts';

/** The acts around one attempt, on PostgreSQL. Those of the request path are combined into one call; the others are one function each. */
export function makePostgresAdmission({ act, upkeep }: Connection, exchange: Exchange): AdmissionPort {
  return {
    look: exchange.look,
    admit: exchange.admit,
    // It changes nothing here: what was sent is known by its settle.
    dispatch: async () => undefined,
    settle: async (settlement) => exchange.settle(encodeSettle(settlement)),
    async claimSimulatedFailure(provider) {
      const [row] = await act((sql) => sql`select switchyard.claim_simulated_failure(${provider}) as answer`);
      return decodeBoolean(row?.answer);
    },
    async renew(holds) {
      const leaseMs = LEASE.holdMsMax + LEASE.holdGraceMs;
      await upkeep((sql) => sql`select switchyard.renew(${[...holds]}::uuid[], ${leaseMs})`);
    },
    async reap(countMax) {
      const [row] = await upkeep((sql) => sql`select switchyard.reap(${countMax}) as answer`);
      return decodeList(row?.answer, decodeExpired);
    },
  };
}

function decodeExpired(value: unknown): ExpiredHold {
  const fields = decodeFields(value);
  return {
    holdId: holdId(decodeText(fields.holdId)),
    requestId: requestId(decodeText(fields.requestId)),
    account: accountKey(decodeText(fields.account)),
    amount: decodeMoney(fields.amount),
  };
}
