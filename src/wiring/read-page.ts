import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { parsePersisted } from '../graphql/persisted-documents.ts';
import { ASSETS_PATH, type Page, type PageFile } from '../http/page.ts';
import { sha256 } from './system.ts';

/** Where `npm run build` puts the control room. */
export const PAGE_FOLDER = join(import.meta.dirname, '../../dashboard/dist');

export type PageRead =
  | { readonly kind: 'read'; readonly page: Page }
  /** A sentence for operators. */
  | { readonly kind: 'missing'; readonly why: string };

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const ETAG_CHARS = 32;

/** Reads the control room as it was built. The service runs without it. */
export async function readPage(folder: string = PAGE_FOLDER): Promise<PageRead> {
  try {
    const documents = parsePersisted(JSON.parse(await readFile(join(folder, 'documents.json'), 'utf8')), sha256);
    if (documents.kind === 'invalid') {
      const faults = documents.faults.join('; ');
      return {
        kind: 'missing',
        why: `the control room is of another version, "npm run build" makes it anew: ${faults}`,
      };
    }
    const names = await readdir(join(folder, ASSETS_PATH));
    const parts = names.filter((name) => extname(name) in CONTENT_TYPES).map((name) => `${ASSETS_PATH}${name}`);
    const files = await Promise.all(
      [['/', 'index.html'] as const, ...parts.map((path) => [path, path] as const)].map(
        async ([path, name]) => [path, await readPart(join(folder, name))] as const,
      ),
    );
    return { kind: 'read', page: { files: new Map(files), documents: documents.texts } };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { kind: 'missing', why: `the control room is not built, "npm run build" does it: ${why}` };
  }
}

async function readPart(path: string): Promise<PageFile> {
  const [plain, gzip, brotli] = await Promise.all([readFile(path), readFile(`${path}.gz`), readFile(`${path}.br`)]);
  const hash = sha256(plain.toString('utf8')).slice(0, ETAG_CHARS);
  return { contentType: CONTENT_TYPES[extname(path)] ?? '', etag: `"${hash}"`, plain, gzip, brotli };
}
