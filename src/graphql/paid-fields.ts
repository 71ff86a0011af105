import {
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLObjectType,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

/** Whether an operation spends money. */
export function isPaid(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode): boolean {
  const root = schema.getRootType(operation.operation);
  if (root === null || root === undefined) return false;
  const fragments = document.definitions.filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION);
  return paidNamesOf(operation, root, (name) => fragments.find((known) => known.name.value === name)).size > 0;
}

/** The names under which an operation's paid fields answer: those whose `extensions.isPaid` is true. */
export function paidNamesOf(
  operation: OperationDefinitionNode,
  root: GraphQLObjectType,
  fragmentOf: (name: string) => FragmentDefinitionNode | null | undefined,
): ReadonlySet<string> {
  const fields = root.getFields();
  const names = new Set<string>();
  /** A fragment that leads back to itself is another rule's business, but must not catch this one. */
  const entered = new Set<string>();
  const enter = (selections: SelectionSetNode): void => {
    for (const selection of selections.selections) {
      switch (selection.kind) {
        case Kind.FIELD:
          if (fields[selection.name.value]?.extensions.isPaid === true) {
            names.add((selection.alias ?? selection.name).value);
          }
          break;
        case Kind.INLINE_FRAGMENT:
          enter(selection.selectionSet);
          break;
        case Kind.FRAGMENT_SPREAD: {
          const name = selection.name.value;
          const fragment = entered.has(name) ? undefined : fragmentOf(name);
          entered.add(name);
          if (fragment !== null && fragment !== undefined) enter(fragment.selectionSet);
          break;
        }
        default:
          selection satisfies never;
      }
    }
  };
  enter(operation.selectionSet);
  return names;
}
