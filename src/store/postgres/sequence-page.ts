import type postgres from 'postgres';
import { type PageAnswer, type PageQuery, parseSequence } from '../../core/page.ts';

/** One page of a list in the order of a growing number, newest first. */
export async function fetchSequencePage<Item>(
  sql: postgres.Sql,
  page: PageQuery,
  list: {
    /** Rows of `sequence` and `json`. */
    readonly rows: postgres.Fragment;
    readonly decode: (json: unknown) => Item;
  },
): Promise<PageAnswer<Item>> {
  const { cursor, direction, size } = page;
  const place = cursor === null ? null : parseSequence(cursor);
  if (cursor !== null && place === null) return { kind: 'badCursor' };
  const isForward = direction === 'forward';
  const ahead = isForward ? sql`sequence < ${place}` : sql`sequence > ${place}`;
  const behind = isForward ? sql`sequence >= ${place}` : sql`sequence <= ${place}`;
  const rows = await sql`select sequence, json from (${list.rows}) l where ${place === null ? sql`true` : ahead}
    order by sequence ${isForward ? sql`desc` : sql`asc`} limit ${size + 1}`;
  const [passed] =
    place === null ? [] : await sql`select exists (select 1 from (${list.rows}) l where ${behind}) as any`;
  const shown = rows.slice(0, size).map((row) => ({ cursor: String(row.sequence), item: list.decode(row.json) }));
  const isMoreAhead = rows.length > size;
  const isMoreBehind = passed?.any === true;
  return {
    kind: 'page',
    page: {
      items: isForward ? shown : shown.toReversed(),
      hasNext: isForward ? isMoreAhead : isMoreBehind,
      hasPrevious: isForward ? isMoreBehind : isMoreAhead,
    },
  };
}
