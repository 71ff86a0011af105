import type postgres from 'postgres';

/** A mutant that keeps what it breaks under another name ends that name so. */
const KEPT = /_unbroken\(/;

/**
 * Breaks a mechanism of one database on purpose. Throws when that leaves another function than there was, or one less: then the
 * functions were renamed or given other parameters since, and what is called is still whole.
 */
export async function mutate(sql: postgres.Sql, mutation: string): Promise<void> {
  const before = await functionsOf(sql);
  await sql.unsafe(mutation);
  const after = (await functionsOf(sql)).filter((signature) => !KEPT.test(signature));
  const differing = [...new Set(before).symmetricDifference(new Set(after))];
  if (differing.length > 0) throw new Error(`the mutant does not fit the migrated database: ${differing.join(', ')}`);
}

/** With parameters and result, so that a replacement is one that callers really get. */
async function functionsOf(sql: postgres.Sql): Promise<readonly string[]> {
  const rows = await sql`
    select p.oid::regprocedure::text || ' returns ' || pg_get_function_result(p.oid) as signature
    from pg_proc p where p.pronamespace = 'switchyard'::regnamespace order by 1`;
  return rows.map(({ signature }) => signature);
}
