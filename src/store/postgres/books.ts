import type { BooksDifference } from '../../core/books.ts';
import {
  decodeBoolean,
  decodeFields,
  decodeList,
  decodeMoney,
  decodeNumber,
  decodeOneOf,
  decodeText,
} from '../../core/decode.ts';
import { accountKey } from '../../core/ids.ts';
import type { BooksPort } from '../../ports/books.ts';
import type { Connection } from './connection.ts';

/** The books in PostgreSQL. All replicas share one place in them, and what was found. */
export function makePostgresBooks({ upkeep }: Connection): BooksPort {
  return {
    async checkBooks({ accountsMax, entriesMax, restMs }) {
      const [row] = await upkeep(
        (sql) => sql`select switchyard.check_books(${accountsMax}, ${entriesMax}, ${restMs}) as answer`,
      );
      const answer = decodeFields(row?.answer);
      const differencesKnown = decodeNumber(answer.differencesKnown);
      const kind = decodeOneOf(['checked', 'notDue'], answer.kind);
      if (kind === 'notDue') return { kind, differencesKnown };
      return {
        kind,
        accounts: decodeNumber(answer.accounts),
        differences: decodeList(answer.differences, decodeDifference),
        balancedAgain: decodeList(answer.balancedAgain, (key) => accountKey(decodeText(key))),
        isRoundDone: decodeBoolean(answer.isRoundDone),
        differencesKnown,
      };
    },
  };
}

function decodeDifference(value: unknown): BooksDifference {
  const fields = decodeFields(value);
  return {
    account: accountKey(decodeText(fields.account)),
    held: decodeMoney(fields.held),
    heldSum: decodeMoney(fields.heldSum),
    posted: decodeMoney(fields.posted),
    postedSum: decodeMoney(fields.postedSum),
  };
}
