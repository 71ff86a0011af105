import { decodeBoolean, decodeFields, decodeNumber, decodeOneOf, decodeText } from '../../core/decode.ts';
import { KEY_LIMITS, type KeyAnswer, keptMsOf } from '../../core/idempotency.ts';
import { requestId } from '../../core/ids.ts';
import type { IdempotencyPort } from '../../ports/idempotency.ts';
import type { Connection } from './connection.ts';

/** Idempotency keys, on PostgreSQL: each act is one function of drizzle/, in one commit. */
export function makePostgresKeys({ act }: Connection): IdempotencyPort {
  return {
    async claimKey(claim) {
      const asked = JSON.stringify({ ...claim, keptMs: KEY_LIMITS.keptMs });
      const [row] = await act(
        (sql) => sql`select kind, holder, outcome from switchyard.claim_key(${asked}::text::jsonb)`,
      );
      return decodeAnswer(row);
    },
    async endClaim({ account, key, requestId: id }, end) {
      const [row] = await act(
        (sql) => sql`select switchyard.end_claim(${account}, ${key}, ${id}::uuid, ${end.kind}, ${end.outcome}::text,
          ${keptMsOf(end)}::double precision) as answer`,
      );
      return decodeBoolean(row?.answer);
    },
    async forgetKeys(countMax) {
      const [row] = await act((sql) => sql`select switchyard.forget_keys(${countMax}) as answer`);
      return decodeNumber(row?.answer);
    },
  };
}

function decodeAnswer(value: unknown): KeyAnswer {
  const fields = decodeFields(value);
  const kind = decodeOneOf(['claimed', 'running', 'ended', 'conflict'], fields.kind);
  switch (kind) {
    case 'claimed':
      return { kind };
    case 'ended':
      return { kind, requestId: requestId(decodeText(fields.holder)), outcome: decodeText(fields.outcome) };
    case 'running':
    case 'conflict':
      return { kind, requestId: requestId(decodeText(fields.holder)) };
    default:
      return kind satisfies never;
  }
}
