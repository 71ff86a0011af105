import { decodeFields, decodeNullable, decodeNumber, decodeText } from '../../core/decode.ts';
import { accountKey, requestId } from '../../core/ids.ts';
import type { ContentPort } from '../../ports/content.ts';
import type { Connection } from './connection.ts';
import { isUuid, storableText } from './storable.ts';

/** Prompts and answers, on PostgreSQL. They are large, so they are written beside the reads: holds that expire and the request log do not wait for them. */
export function makePostgresContent({ read, upkeep }: Pick<Connection, 'read' | 'upkeep'>): ContentPort {
  return {
    async keepContent({ id, account, prompt, answer }, keptMs) {
      const [promptText, answerText] = [storableText(prompt), answer === null ? null : storableText(answer)];
      await read(
        (sql) => sql`insert into switchyard.request_content (request_id, account, prompt_text, answer_text, expires_at)
          values (${id}, ${storableText(account)}, ${promptText}, ${answerText}, switchyard.clock() + switchyard.span(${keptMs}))
          on conflict do nothing`,
      );
    },
    async findContent(id) {
      if (!isUuid(id)) return null;
      const [row] = await read(
        (sql) => sql`select request_id, account, prompt_text, answer_text from switchyard.request_content
          where request_id = ${id} and expires_at > switchyard.clock()`,
      );
      if (row === undefined) return null;
      const fields = decodeFields(row);
      return {
        id: requestId(decodeText(fields.request_id)),
        account: accountKey(decodeText(fields.account)),
        prompt: decodeText(fields.prompt_text),
        answer: decodeNullable(fields.answer_text, decodeText),
      };
    },
    async forgetContent(countMax) {
      const [row] = await upkeep(
        (sql) => sql`with gone as (
            delete from switchyard.request_content where request_id in (
              select request_id from switchyard.request_content where expires_at <= switchyard.clock()
              order by expires_at limit ${countMax} for update skip locked)
            returning 1)
          select count(*)::int as answer from gone`,
      );
      return decodeNumber(row?.answer);
    },
  };
}
