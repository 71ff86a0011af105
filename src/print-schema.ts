import { writeFileSync } from 'node:fs';
import { printedSchema } from './graphql/schema.ts';

// `npm run print-schema`: writes the committed schema.graphql anew.
writeFileSync(new URL('../schema.graphql', import.meta.url), printedSchema());
