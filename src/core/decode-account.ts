import type { Account } from './account.ts';
import { decodeFields, decodeInstant, decodeMoney, decodeNullable, decodeOneOf, decodeText } from './decode.ts';
import { accountKey } from './ids.ts';
import { PERIODS } from './period.ts';

/** An account as it was stored: `account_json` of drizzle/ answers the same form. */
export function decodeAccount(value: unknown): Account {
  const fields = decodeFields(value);
  return {
    key: accountKey(decodeText(fields.key)),
    cap: decodeNullable(fields.cap, decodeMoney),
    posted: decodeMoney(fields.posted),
    held: decodeMoney(fields.held),
    period: decodeOneOf(PERIODS, fields.period),
    periodStartedAtMs: decodeInstant(fields.periodStartedAtMs),
  };
}
