import { codegen } from '@graphql-codegen/core';
import * as operations from '@graphql-codegen/typescript-operations';
import { buildSchema, parse } from 'graphql';
import { operationsIn } from './documents.ts';

const HEAD = `// Made by \`npm run generate-documents\` from dashboard/documents and schema.graphql: do not edit.

/** An operation of the page, known to the gateway by its id. The two types are what comes back and what is sent along. */
export interface PageDocument<Data, Variables> {
  readonly id: string;
  readonly name: string;
  /** Never there: it only ties the types to the document. */
  readonly types?: { readonly data: Data; readonly variables: Variables };
}
`;

/** The module that the page imports: the types of all its operations, and their ids. */
export async function makeDocumentsModule(schemaText: string, source: string): Promise<string> {
  const types = await codegen({
    filename: 'documents.generated.ts',
    schema: parse(schemaText),
    schemaAst: buildSchema(schemaText),
    documents: [{ location: 'documents', document: parse(source) }],
    config: {},
    plugins: [{ operations: OPTIONS }],
    pluginMap: { operations },
  });
  const documents = operationsIn(source).map(({ name, id }) => documentLine(name, id, types));
  return `${HEAD}\n${types.trim()}\n\n${documents.join('\n')}\n`;
}

const OPTIONS = {
  scalars: { DateTime: 'string', Decimal: 'string', Duration: 'string', SafeInt: 'number', JSON: 'unknown' },
  avoidOptionals: { field: true, inputValue: false, object: true, defaultValue: false },
  immutableTypes: true,
  enumsAsTypes: true,
  skipTypename: true,
  inlineFragmentTypes: 'combine',
  disableDescriptions: true,
};

function documentLine(name: string, id: string, types: string): string {
  const kind = ['Query', 'Mutation', 'Subscription'].find((suffix) => types.includes(`export type ${name}${suffix} `));
  const constant = name.charAt(0).toUpperCase() + name.slice(1);
  return `export const ${constant}: PageDocument<${name}${kind}, ${name}${kind}Variables> = {\n  id: '${id}',\n  name: '${name}',\n};`;
}
