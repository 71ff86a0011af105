import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import type postgres from 'postgres';

/** Migrates as a version did whose last migration came before the one that is named. */
export async function migrateUpTo(sql: postgres.Sql, name: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-migrations-'));
  try {
    await cp('drizzle', folder, { recursive: true });
    const path = join(folder, 'meta/_journal.json');
    const journal: { entries: { tag: string }[] } = JSON.parse(await readFile(path, 'utf8'));
    const end = journal.entries.findIndex(({ tag }) => tag.endsWith(name));
    await writeFile(path, JSON.stringify({ ...journal, entries: journal.entries.slice(0, end) }));
    const place = { migrationsSchema: 'switchyard_migrations', migrationsTable: 'applied' };
    await migrate(drizzle(sql), { migrationsFolder: folder, ...place });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
