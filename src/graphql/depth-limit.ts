import {
  type ASTVisitor,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
  type ValidationContext,
} from 'graphql';

/** `depthMax` leaves room for everything a page shows at once; introspection, which nests deeper, has fixed bounds of its own. */
export const DOCUMENT_LIMITS = { depthMax: 15, tokensMax: 10_000 } as const;

/** A validation rule: nouns lead to one another in circles, so that a small document could ask for endlessly much. */
export function DepthLimit(context: ValidationContext): ASTVisitor {
  const { depthMax } = DOCUMENT_LIMITS;
  const depthOf = makeDepthOf((name) => context.getFragment(name));
  return {
    OperationDefinition(operation) {
      if (depthOf(operation.selectionSet) <= depthMax) return;
      const message = `The operation nests deeper than ${depthMax} fields. Ask for the rest in a second one, by id.`;
      context.reportError(
        new GraphQLError(message, {
          nodes: operation,
          extensions: { code: 'TOO_DEEP', http: { status: 400, spec: false } },
        }),
      );
    },
  };
}

/** How many fields deep a selection goes. Each fragment is measured once, however often it is spread. */
function makeDepthOf(
  fragmentOf: (name: string) => FragmentDefinitionNode | null | undefined,
): (selections: SelectionSetNode) => number {
  const measured = new Map<string, number>();
  const depthOfFragment = (name: string): number => {
    const known = measured.get(name);
    if (known !== undefined) return known;
    // A fragment that leads back to itself is refused by a standard rule; here it counts nothing.
    measured.set(name, 0);
    const fragment = fragmentOf(name);
    const depth = fragment === null || fragment === undefined ? 0 : depthOf(fragment.selectionSet);
    measured.set(name, depth);
    return depth;
  };
  const depthOf = ({ selections }: SelectionSetNode): number => Math.max(0, ...selections.map(depthOfSelection));
  const depthOfSelection = (selection: SelectionNode): number => {
    switch (selection.kind) {
      case Kind.FIELD:
        // Introspection nests deep by nature, and its size is bounded by the schema.
        if (selection.selectionSet === undefined || selection.name.value.startsWith('__')) return 1;
        return 1 + depthOf(selection.selectionSet);
      case Kind.INLINE_FRAGMENT:
        return depthOf(selection.selectionSet);
      case Kind.FRAGMENT_SPREAD:
        return depthOfFragment(selection.name.value);
      default:
        return selection satisfies never;
    }
  };
  return depthOf;
}
