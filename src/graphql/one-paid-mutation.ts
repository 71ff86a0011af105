import {
  type ASTVisitor,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLObjectType,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  type SelectionSetNode,
  type ValidationContext,
} from 'graphql';

/**
 * A validation rule: one operation spends money at most once, so that the request id names one chat and nobody buys two hundred
 * answers with one document. Counted by the names under which answers come back, which is how often a field really runs.
 */
export function OnePaidMutation(context: ValidationContext): ASTVisitor {
  return {
    OperationDefinition(operation) {
      const mutations = context.getSchema().getMutationType();
      if (operation.operation !== OperationTypeNode.MUTATION || mutations === null || mutations === undefined) return;
      const paid = paidNamesOf(operation, mutations, (name) => context.getFragment(name));
      if (paid.size <= 1) return;
      const message = `One operation may hold one paid mutation, this one holds ${paid.size}. Send one per request.`;
      context.reportError(
        new GraphQLError(message, {
          nodes: operation,
          extensions: { code: 'TOO_MANY_PAID_MUTATIONS', http: { status: 400, spec: false } },
        }),
      );
    },
  };
}

function paidNamesOf(
  operation: OperationDefinitionNode,
  mutations: GraphQLObjectType,
  fragmentOf: (name: string) => FragmentDefinitionNode | null | undefined,
): ReadonlySet<string> {
  const fields = mutations.getFields();
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
