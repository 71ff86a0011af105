import { printReference } from '../graphql/print-reference.ts';
import { printedSchema, schema } from '../graphql/schema.ts';
import { printJsonSchema } from '../registry/schema.ts';
import { didYouMean } from '../registry/wording.ts';
import { type Command, complain, readWords } from './command.ts';
import { EXIT } from './exit-code.ts';

const HELP = `Usage: switchyard print-schema [graphql | reference | registry]

Prints the GraphQL schema of the API, with \`reference\` the page that explains it, with \`registry\` the JSON Schema of registry
files, for editors.
`;

const PRINTS: ReadonlyMap<string, () => string> = new Map([
  ['graphql', printedSchema],
  ['reference', () => printReference(schema)],
  ['registry', printJsonSchema],
]);

export const COMMAND: Command = {
  help: HELP,
  async run(words, shell) {
    const read = readWords(words, { options: {}, restMax: 1, help: HELP, shell });
    if (read.kind === 'ended') return read.code;
    const [which = 'graphql'] = read.rest;
    const print = PRINTS.get(which);
    if (print === undefined) {
      const nearest = didYouMean(which, [...PRINTS.keys()]) || '.';
      return complain(`There is no schema "${which}"${nearest}`, { help: HELP, shell });
    }
    shell.print(print());
    return EXIT.ok;
  },
};
