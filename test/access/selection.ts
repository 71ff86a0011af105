import {
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLObjectType,
  getNamedType,
  isAbstractType,
  isLeafType,
  isObjectType,
  isRequiredArgument,
} from 'graphql';
import { schema } from '../../src/graphql/schema.ts';

/** How deep an answer is asked for: a page, its items, what they hold, what that holds, and its leaves. */
const DEPTH_MAX = 5;

type Field = GraphQLField<unknown, unknown>;

export const ROOTS = {
  query: schema.getQueryType()!,
  mutation: schema.getMutationType()!,
  subscription: schema.getSubscriptionType()!,
} as const satisfies Record<string, GraphQLObjectType>;

export type RootKind = keyof typeof ROOTS;

/** A document that calls a field with these arguments, and asks for all that can be had below it. */
export function documentOf(kind: RootKind, name: string, args: object): string {
  const field = ROOTS[kind].getFields()[name]!;
  const given = field.args.filter((arg) => arg.name in args);
  const wrapped = (text: string) => (text === '' ? '' : `(${text})`);
  const variables = wrapped(given.map((arg) => `$${arg.name}: ${arg.type}`).join(', '));
  const passed = wrapped(given.map((arg) => `${arg.name}: $${arg.name}`).join(', '));
  return `${kind} ${variables} { ${name}${passed} ${selectionOf(getNamedType(field.type), [])} }`;
}

/** Everything below a type that needs no arguments. No type is entered twice on one way down, or there would be no end. */
function selectionOf(type: GraphQLNamedType, above: readonly string[]): string {
  if (isLeafType(type)) return '';
  const path = [...above, type.name];
  if (isObjectType(type)) return `{ __typename ${fieldsOf(type, path, '')} }`;
  if (!isAbstractType(type)) throw new RangeError(`${type.name} is no type of an answer`);
  const members = schema.getPossibleTypes(type).filter(({ name }) => !above.includes(name));
  // Members may have fields of one name and different types.
  const fragments = members.map(
    (member) => `... on ${member.name} { ${fieldsOf(member, [...path, member.name], `${member.name}_`)} }`,
  );
  return `{ __typename ${fragments.join(' ')} }`;
}

function fieldsOf(type: GraphQLObjectType, path: readonly string[], prefix: string): string {
  return Object.values(type.getFields())
    .filter((field) => isAskable(field, path))
    .map(
      (field) =>
        `${prefix === '' ? '' : `${prefix}${field.name}: `}${field.name} ${selectionOf(getNamedType(field.type), path)}`,
    )
    .join(' ');
}

function isAskable(field: Field, path: readonly string[]): boolean {
  const type = getNamedType(field.type);
  if (field.args.some(isRequiredArgument)) return false;
  return isLeafType(type) || (path.length < DEPTH_MAX && !path.includes(type.name));
}
