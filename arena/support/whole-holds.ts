import type postgres from 'postgres';

/** Settles that charged all that was held, although the attempt's end was counted or guessed and not told by its provider. */
export async function wholeHoldsCharged(sql: postgres.Sql): Promise<number> {
  const [row] = await sql`
    select count(*)::int as whole
    from switchyard.ledger_entry e join switchyard.hold h on h.id = e.hold_id
    where e.kind = 'settled' and e.evidence <> 'reported' and e.amount >= h.amount`;
  return Number(row?.whole);
}
