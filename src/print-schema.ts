import { writeFileSync } from 'node:fs';
import { printReference } from './graphql/print-reference.ts';
import { printedSchema, schema } from './graphql/schema.ts';

// `npm run print-schema`: writes the committed schema.graphql and the page that explains it anew.
writeFileSync(new URL('../schema.graphql', import.meta.url), printedSchema());
writeFileSync(new URL('../docs/api.md', import.meta.url), printReference(schema));
