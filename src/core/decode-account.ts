import type { Account } from './account.ts';
import {
  decodeBoolean,
  decodeFields,
  decodeInstant,
  decodeMoney,
  decodeNullable,
  decodeOneOf,
  decodeText,
} from './decode.ts';
import { accountKey, holderOf } from './ids.ts';
import { PERIODS } from './period.ts';

/** An account as it was stored: `account_json` of drizzle/ answers the same form. */
export function decodeAccount(value: unknown): Account {
  const fields = decodeFields(value);
  const key = accountKey(decodeText(fields.key));
  return {
    key,
    cap: decodeNullable(fields.cap, decodeMoney),
    // Outcomes that were kept before there were budgets of keys do not say: users alone had any.
    isUnderDefault:
      fields.isUnderDefault === undefined ? holderOf(key)?.level === 'user' : decodeBoolean(fields.isUnderDefault),
    posted: decodeMoney(fields.posted),
    held: decodeMoney(fields.held),
    period: decodeOneOf(PERIODS, fields.period),
    periodStartedAtMs: decodeInstant(fields.periodStartedAtMs),
  };
}
