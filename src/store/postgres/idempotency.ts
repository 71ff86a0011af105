import { decodeBoolean, decodeFields, decodeNumber, decodeOneOf, decodeText } from '../../core/decode.ts';
import { KEY_LIMITS, type KeyAnswer, type KeyEnd, type KeyHolder, keptMsOf } from '../../core/idempotency.ts';
import { requestId } from '../../core/ids.ts';
import type { IdempotencyPort } from '../../ports/idempotency.ts';
import type { Connection } from './connection.ts';

/** Idempotency keys, on PostgreSQL: each act is one function of drizzle/, in one commit. */
export function makePostgresKeys(connection: Connection): IdempotencyPort {
  const { act, upkeep } = connection;
  return {
    async claimKey(claim) {
      const asked = JSON.stringify({ ...claim, keptMs: KEY_LIMITS.keptMs });
      const [row] = await act(
        (sql) => sql`select kind, holder, outcome from switchyard.claim_key(${asked}::text::jsonb)`,
      );
      return decodeAnswer(row);
    },
    endClaim: (holder, end) => carryOutEnd(connection, encodeEnd(holder, end)),
    async forgetKeys(countMax) {
      const [row] = await upkeep((sql) => sql`select switchyard.forget_keys(${countMax}) as answer`);
      return decodeNumber(row?.answer);
    },
  };
}

/** The end of a claim as text, ready to be carried out: now, or when it is found in a journal. */
export function encodeEnd({ account, key, requestId: id }: KeyHolder, end: KeyEnd): string {
  return JSON.stringify({ account, key, requestId: id, ...end, keptMs: keptMsOf(end) });
}

/** Ends a claim. It may be long, so it goes the way of the request log. */
export async function carryOutEnd({ record }: Connection, text: string): Promise<boolean> {
  const [row] = await record(
    (sql) => sql`select switchyard.end_claim(said->>'account', said->>'key', (said->>'requestId')::uuid, said->>'kind',
      said->>'outcome', (said->>'keptMs')::double precision) as answer
      from (select ${text}::text::jsonb as said) given`,
  );
  return decodeBoolean(row?.answer);
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
