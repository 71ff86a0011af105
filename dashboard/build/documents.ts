import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type DefinitionNode,
  type FragmentDefinitionNode,
  Kind,
  parse,
  print,
  stripIgnoredCharacters,
  visit,
} from 'graphql';

/** One operation of the page, with the fragments that it uses. */
export interface PageOperation {
  readonly name: string;
  /** As the gateway knows it: `sha256:` and the hash of the text. */
  readonly id: string;
  readonly text: string;
}

export const DOCUMENTS_FOLDER = join(import.meta.dirname, '../documents');

/** All documents of the page as one text. */
export function readDocuments(): string {
  const files = globSync('*.graphql', { cwd: DOCUMENTS_FOLDER }).sort();
  return files.map((file) => readFileSync(join(DOCUMENTS_FOLDER, file), 'utf8')).join('\n');
}

/** The operations in a text, by their names. */
export function operationsIn(source: string): readonly PageOperation[] {
  const { definitions } = parse(source);
  const fragments = new Map(
    definitions.filter((node) => node.kind === Kind.FRAGMENT_DEFINITION).map((node) => [node.name.value, node]),
  );
  return definitions
    .filter((node) => node.kind === Kind.OPERATION_DEFINITION)
    .map((node) => {
      const used = fragmentsOf(node, fragments, new Set());
      const text = stripIgnoredCharacters([node, ...used].map(print).join('\n'));
      const id = `sha256:${createHash('sha256').update(text).digest('hex')}`;
      return { name: node.name?.value ?? '', id, text };
    })
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** What a definition uses, and what that uses, each once. */
function fragmentsOf(
  node: DefinitionNode,
  known: ReadonlyMap<string, FragmentDefinitionNode>,
  found: Set<FragmentDefinitionNode>,
): Set<FragmentDefinitionNode> {
  visit(node, {
    FragmentSpread({ name }) {
      const fragment = known.get(name.value);
      if (fragment === undefined) throw new RangeError(`no document has the fragment ${name.value}`);
      if (found.has(fragment)) return;
      found.add(fragment);
      fragmentsOf(fragment, known, found);
    },
  });
  return found;
}
