import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import postgres from 'postgres';

/** Every row of every table of ours, as text, by table. */
export async function dump(url: string): Promise<ReadonlyMap<string, string>> {
  const sql = postgres(url, { max: 1 });
  const tables = await sql`select format('%I.%I', schemaname, tablename) as name from pg_tables
    where schemaname not in ('pg_catalog', 'information_schema')`;
  const rows = new Map<string, string>();
  for (const { name } of tables) {
    const found = await sql.unsafe(`select t::text as row from ${name} t`);
    rows.set(name, found.map(({ row }) => row).join('\n'));
  }
  await sql.end();
  return rows;
}

/** All bytes of a folder. */
export async function bytesOf(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return (await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), 'latin1')))).join('\n');
}
