import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLError,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isCompositeType,
  isLeafType,
  isListType,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql';
import { PAGE_LIMITS } from '../core/page.ts';
import { documentError } from './door-error.ts';
import { LIST_SIZE, LIST_SIZES, PRICES } from './prices.ts';

/** The most that one operation may cost. A page of 50 requests with ten objects each fits. */
export const COST_MAX = 1_000;

/** An operation as it is to be run. */
interface Priced {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  /** As they were sent: what does not fit its type is refused later. */
  readonly variables: Readonly<Record<string, unknown>>;
}

/**
 * The most that an operation can cost, found before anything of it is run: 1 for each object that may be in the answer, a list
 * counted by its page size, and the price of what the store has to work for. Values without fields of their own come with their
 * object, and cost nothing. For documents that keep the limits of size: a fragment is gone through as often as it is spread.
 */
export function costOf(schema: GraphQLSchema, priced: Priced): number {
  const { document, operation } = priced;
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);

  const costOfSet = ({ selections }: SelectionSetNode, of: GraphQLNamedType, page: number | null): number =>
    selections.reduce((cost, selection) => cost + costOfSelection(selection, of, page), 0);
  const costOfSelection = (selection: SelectionNode, of: GraphQLNamedType, page: number | null): number => {
    switch (selection.kind) {
      case Kind.FIELD:
        return costOfField(selection, of, page);
      case Kind.INLINE_FRAGMENT:
        return costOfSet(selection.selectionSet, named(selection.typeCondition?.name.value) ?? of, page);
      case Kind.FRAGMENT_SPREAD: {
        const fragment = fragments.get(selection.name.value);
        return fragment === undefined
          ? 0
          : costOfSet(fragment.selectionSet, named(fragment.typeCondition.name.value) ?? of, page);
      }
      default:
        return selection satisfies never;
    }
  };
  const named = (name: string | undefined) => (name === undefined ? undefined : schema.getType(name));
  const costOfField = (node: FieldNode, of: GraphQLNamedType, page: number | null): number => {
    const field = isCompositeType(of) ? schema.getField(of, node.name.value) : undefined;
    if (field === undefined) return 0;
    const place = `${of.name}.${field.name}`;
    const type = getNamedType(field.type);
    const price = PRICES[place] ?? 0;
    if (isLeafType(type) || node.selectionSet === undefined) return price;
    const own = pageOf(field, node, priced);
    const isCounted = isListType(getNullableType(field.type)) && !of.name.startsWith('__');
    const count = isCounted ? (LIST_SIZES[place] ?? own ?? page ?? LIST_SIZE) : 1;
    return price + count * (1 + costOfSet(node.selectionSet, type, own));
  };

  const root = schema.getRootType(operation.operation);
  return root === null || root === undefined ? 0 : costOfSet(operation.selectionSet, root, null);
}

/** Null: the operation may be run. */
export function costRefusal(cost: number | null): GraphQLError | null {
  if (cost === null || cost <= COST_MAX) return null;
  const message = `The operation may cost ${cost}, and ${COST_MAX} is the limit. Ask for smaller pages (first), fewer lists within lists, or in several operations.`;
  return documentError('COST_TOO_HIGH', message, undefined, { cost: { requested: cost, limit: COST_MAX } });
}

/** How many items a field or the lists right below it may have. Null: none of its arguments says so. */
function pageOf(field: GraphQLField<unknown, unknown>, node: FieldNode, priced: Priced): number | null {
  const sizes = field.args
    .filter(({ name }) => PAGE_ARGUMENTS.includes(name))
    .map(({ name }) => sizeOf(node.arguments?.find((argument) => argument.name.value === name)?.value, priced));
  if (sizes.length === 0) return null;
  const said = sizes.filter((size) => size !== null);
  return said.length === 0 ? PAGE_LIMITS.sizeDefault : Math.max(...said);
}

/** A page's size, a list's limit, or the ids of what is asked for. Unset, the default is the same for all of them. */
const PAGE_ARGUMENTS = ['first', 'last', 'limit', 'ids'];

/** Null: not said, or said in a way that is refused later. */
function sizeOf(value: ValueNode | undefined, priced: Priced): number | null {
  switch (value?.kind) {
    case Kind.INT:
      return within(Number(value.value));
    case Kind.LIST:
      return within(value.values.length);
    case Kind.VARIABLE: {
      const { name } = value;
      const sent = priced.variables[name.value];
      if (Array.isArray(sent)) return within(sent.length);
      if (typeof sent === 'number') return within(sent);
      const defined = priced.operation.variableDefinitions?.find(({ variable }) => variable.name.value === name.value);
      return sent === undefined ? sizeOf(defined?.defaultValue, priced) : null;
    }
    default:
      return null;
  }
}

/** What is out of bounds is refused when it is run, so that nothing of it is ever counted. */
function within(size: number): number {
  return Math.min(Math.max(size, 1), PAGE_LIMITS.sizeMax);
}
