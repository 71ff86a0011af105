import type postgres from 'postgres';
import type { Account, BudgetStatus } from '../../core/account.ts';
import { type BudgetPosition, budgetCursorOf, parseBudgetCursor } from '../../core/budget-order.ts';
import { decodeAccount } from '../../core/decode-account.ts';
import type { PicoUsd } from '../../core/money.ts';
import type { PageAnswer, PageQuery } from '../../core/page.ts';

/** One page of accounts, fullest first. Fullness is compared as a fraction, so that no rounding moves an account past a cursor. */
export async function fetchAccountPage(
  sql: postgres.Sql,
  query: { readonly page: PageQuery; readonly defaultCap: PicoUsd; readonly status: readonly BudgetStatus[] },
): Promise<PageAnswer<Account>> {
  const { page, defaultCap, status } = query;
  const start = page.cursor === null ? null : parseBudgetCursor(page.cursor);
  if (page.cursor !== null && start === null) return { kind: 'badCursor' };
  const isForward = page.direction === 'forward';
  const listed = listOf(sql, defaultCap, status);
  const direction = isForward ? sql`desc` : sql`asc`;
  const keyDirection = isForward ? sql`asc` : sql`desc`;
  const rows = await sql`
    select json, ${start === null ? sql`false` : sql`exists (select 1 from (${listed}) l where ${behind(sql, start, isForward)})`} as is_more_behind
    from (${listed}) l
    where ${start === null ? sql`true` : ahead(sql, start, isForward)}
    order by taken / cap ${direction}, key collate "C" ${keyDirection}
    limit ${page.size + 1}`;
  const taken = rows.slice(0, page.size).map((row) => decodeAccount(row.json));
  const isMoreAhead = rows.length > taken.length;
  const isMoreBehind = rows.length > 0 ? rows[0]?.is_more_behind === true : start !== null;
  return {
    kind: 'page',
    page: {
      items: (isForward ? taken : taken.toReversed()).map((item) => ({
        cursor: budgetCursorOf(item, defaultCap),
        item,
      })),
      hasNext: isForward ? isMoreAhead : isMoreBehind,
      hasPrevious: isForward ? isMoreBehind : isMoreAhead,
    },
  };
}

/** Accounts under a cap with their fullness as a fraction; a cap of zero is full. */
function listOf(sql: postgres.Sql, defaultCap: PicoUsd, status: readonly BudgetStatus[]): postgres.Fragment {
  const cap = sql`coalesce(a.cap, case when a.is_under_default then ${defaultCap.toString()}::bigint end)::numeric`;
  const word = sql`case when a.posted + a.held >= ${cap} then 'exhausted'
    when (a.posted + a.held) * 5 >= ${cap} * 4 then 'warning' else 'ok' end`;
  return sql`
    select a.key,
      case when ${cap} = 0 then 1 else (a.posted + a.held)::numeric end as taken,
      case when ${cap} = 0 then 1 else ${cap} end as cap,
      switchyard.account_json(a) as json
    from switchyard.account_now a
    where ${cap} is not null and (${status.length === 0} or ${word} = any(${[...status]}))`;
}

function ahead(sql: postgres.Sql, start: BudgetPosition, isForward: boolean): postgres.Fragment {
  return isForward ? after(sql, start) : before(sql, start);
}

function behind(sql: postgres.Sql, start: BudgetPosition, isForward: boolean): postgres.Fragment {
  // The account at the cursor itself counts as passed.
  return sql`not (${ahead(sql, start, isForward)})`;
}

function after(sql: postgres.Sql, { taken, cap, key }: BudgetPosition): postgres.Fragment {
  return sql`(taken * ${cap.toString()}::numeric < ${taken.toString()}::numeric * cap
    or (taken * ${cap.toString()}::numeric = ${taken.toString()}::numeric * cap and key collate "C" > ${key}))`;
}

function before(sql: postgres.Sql, { taken, cap, key }: BudgetPosition): postgres.Fragment {
  return sql`(taken * ${cap.toString()}::numeric > ${taken.toString()}::numeric * cap
    or (taken * ${cap.toString()}::numeric = ${taken.toString()}::numeric * cap and key collate "C" < ${key}))`;
}
