import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readDocuments } from './documents.ts';
import { makeDocumentsModule } from './documents-module.ts';

const schema = readFileSync(join(import.meta.dirname, '../../schema.graphql'), 'utf8');
const path = join(import.meta.dirname, '../documents.generated.ts');
writeFileSync(path, await makeDocumentsModule(schema, readDocuments()));
