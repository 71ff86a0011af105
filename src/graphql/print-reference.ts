import {
  astFromValue,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isScalarType,
  isSpecifiedScalarType,
  isUnionType,
  print,
} from 'graphql';

type Field = GraphQLField<unknown, unknown>;
type Argument = GraphQLArgument | GraphQLInputField;

/** The schema as a page for people, in Markdown: every operation with who may call it, then every type by its kind, each by name. */
export function printReference(schema: GraphQLSchema): string {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].filter(isObjectType);
  const types = Object.values(schema.getTypeMap())
    .filter(
      (type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type) && !roots.some((root) => root === type),
    )
    .sort(byName);
  const parts = [
    INTRODUCTION,
    ...roots.flatMap((root) => [
      `## ${root.name}`,
      descriptionOf(root),
      ...Object.values(root.getFields())
        .sort(byName)
        .map((field) => printOperation(root.name, field)),
    ]),
    ...KINDS.flatMap(({ heading, is }) => {
      const members = types.filter(is);
      return members.length === 0 ? [] : [`## ${heading}`, ...members.map((type) => printType(schema, type))];
    }),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

const INTRODUCTION = `# API reference

Written from the schema by \`npm run print-schema\`; a test keeps it so. [The GraphQL API](graphql.md) has what goes for all operations: scopes, limits, costs, and
documents by their ids. \`!\` is what is never null, \`[ ]\` a list. Scopes have two spellings, both understood: \`budgets:write\`, \`providers:write\`, \`keys:write\` and
\`chaos:write\` in a description are \`budgets:admin\`, \`providers:admin\`, \`keys:admin\` and \`simulate\`.`;

const KINDS: readonly { readonly heading: string; readonly is: (type: GraphQLNamedType) => boolean }[] = [
  { heading: 'Objects', is: isObjectType },
  { heading: 'Inputs', is: isInputObjectType },
  { heading: 'Interfaces', is: isInterfaceType },
  { heading: 'Unions', is: isUnionType },
  { heading: 'Enums', is: isEnumType },
  { heading: 'Scalars', is: isScalarType },
];

/** Named with its root: `budget` alone would share the place of the type `Budget` in the page. */
function printOperation(root: string, field: Field): string {
  const { access } = field.extensions;
  const parts = [
    `### ${root}.${field.name}`,
    descriptionOf(field),
    `Needs: ${code(String(access))}. Gives: ${typeOf(field)}.`,
    field.args.length === 0 ? '' : argumentTable('Argument', field.args),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

function printType(schema: GraphQLSchema, type: GraphQLNamedType): string {
  const parts = [`### ${type.name}`, descriptionOf(type), bodyOf(schema, type)];
  return parts.filter((part) => part !== '').join('\n\n');
}

function bodyOf(schema: GraphQLSchema, type: GraphQLNamedType): string {
  if (isEnumType(type))
    return table(
      ['Value', 'Meaning'],
      type.getValues().map(({ name, ...of }) => [code(name), meaningOf(of)]),
    );
  if (isInputObjectType(type)) {
    const note = type.isOneOf ? 'Exactly one of these:\n\n' : '';
    return note + argumentTable('Field', Object.values(type.getFields()));
  }
  if (isUnionType(type)) return `One of ${linksTo(type.getTypes())}.`;
  if (isObjectType(type)) return [implementsOf(type.getInterfaces()), fieldTable(type.getFields())].join('');
  if (isInterfaceType(type)) {
    const { objects } = schema.getImplementations(type);
    return `${fieldTable(type.getFields())}\n\nImplemented by ${linksTo([...objects].sort(byName))}.`;
  }
  return '';
}

function implementsOf(interfaces: readonly GraphQLNamedType[]): string {
  return interfaces.length === 0 ? '' : `Implements ${linksTo(interfaces)}.\n\n`;
}

function fieldTable(fields: Readonly<Record<string, Field>>): string {
  const rows = Object.values(fields).map((field) => [code(field.name), typeOf(field), meaningWithArguments(field)]);
  return table(['Field', 'Type', 'Meaning'], rows);
}

/** Arguments of a field stand behind its meaning: few fields of objects have any. */
function meaningWithArguments(field: Field): string {
  const told = field.args.map(
    (argument) => `${code(argument.name)} (${typeOf(argument)}${defaultOf(argument)}): ${meaningOf(argument)}`,
  );
  return [meaningOf(field), ...told].join(' ');
}

function argumentTable(heading: string, list: readonly Argument[]): string {
  const rows = list.map((argument) => [
    code(argument.name),
    `${typeOf(argument)}${defaultOf(argument)}`,
    meaningOf(argument),
  ]);
  return table([heading, 'Type', 'Meaning'], rows);
}

function defaultOf(argument: Argument): string {
  const literal = argument.defaultValue === undefined ? null : astFromValue(argument.defaultValue, argument.type);
  return literal === null || literal === undefined ? '' : ` = ${code(print(literal))}`;
}

function typeOf({ type }: Pick<Field | Argument, 'type'>): string {
  const named = getNamedType(type);
  if (isSpecifiedScalarType(named)) return code(String(type));
  const [before = '', after = ''] = String(type).split(named.name);
  return `${escaped(before)}${linkTo(named)}${escaped(after)}`;
}

function linksTo(types: readonly GraphQLNamedType[]): string {
  return types.map(linkTo).join(', ');
}

function linkTo({ name }: GraphQLNamedType): string {
  return `[${name}](#${name.toLowerCase()})`;
}

function descriptionOf({ description }: { readonly description: string | null | undefined }): string {
  return description ?? '';
}

function meaningOf(of: {
  readonly description: string | null | undefined;
  readonly deprecationReason?: string | null | undefined;
}): string {
  const old =
    of.deprecationReason === null || of.deprecationReason === undefined ? '' : ` Deprecated: ${of.deprecationReason}`;
  return `${descriptionOf(of)}${old}`.replaceAll(/\s*\n\s*/g, ' ').replaceAll('|', '\\|');
}

function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [headings, headings.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function code(text: string): string {
  return `\`${text.replaceAll('|', '\\|')}\``;
}

/** A bracket before a link would be taken for another one. */
function escaped(text: string): string {
  return text.replaceAll('[', '\\[').replaceAll(']', '\\]');
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}
