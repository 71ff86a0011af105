import { type ASTVisitor, Kind, type SelectionSetNode, type ValidationContext } from 'graphql';
import { documentError } from './door-error.ts';

/** How often a document may ask again for what it asks for already, counted with all fragments put in. */
export const REPEATS_MAX = 150;

/**
 * A validation rule, for documents that keep the limits of size and have no fragment within itself. Whether fields of one name at one
 * place agree is found by comparing each with each: a short document could keep a replica busy for seconds.
 */
export function FewRepeats(context: ValidationContext): ASTVisitor {
  let isTold = false;
  const judge = (selections: SelectionSetNode) => {
    if (isTold || repeatsIn([selections], context) <= REPEATS_MAX) return;
    isTold = true;
    const message = `The document asks more than ${REPEATS_MAX} times for what it asks for already. Name each field once.`;
    context.reportError(documentError('TOO_MANY_FIELDS', message));
  };
  return {
    OperationDefinition: ({ selectionSet }) => judge(selectionSet),
    // Also one that no operation spreads: the fields of all of them are compared.
    FragmentDefinition: ({ selectionSet }) => judge(selectionSet),
  };
}

/** How many fields of selections at one place answer under a name that another has, there and below. */
function repeatsIn(together: readonly SelectionSetNode[], context: ValidationContext): number {
  const counts = new Map<string, number>();
  const below = new Map<string, SelectionSetNode[]>();
  const entered = new Set<string>();
  const enter = ({ selections }: SelectionSetNode): void => {
    for (const selection of selections) {
      switch (selection.kind) {
        case Kind.FIELD: {
          const name = (selection.alias ?? selection.name).value;
          counts.set(name, (counts.get(name) ?? 0) + 1);
          if (selection.selectionSet !== undefined)
            below.set(name, [...(below.get(name) ?? []), selection.selectionSet]);
          break;
        }
        case Kind.INLINE_FRAGMENT:
          enter(selection.selectionSet);
          break;
        case Kind.FRAGMENT_SPREAD: {
          const fragment = entered.has(selection.name.value) ? undefined : context.getFragment(selection.name.value);
          entered.add(selection.name.value);
          if (fragment !== undefined && fragment !== null) enter(fragment.selectionSet);
          break;
        }
        default:
          selection satisfies never;
      }
    }
  };
  together.forEach(enter);
  const here = counts.values().reduce((repeats, count) => repeats + count - 1, 0);
  return below.values().reduce((repeats, sets) => repeats + repeatsIn(sets, context), here);
}
