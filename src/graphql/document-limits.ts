import {
  type ASTVisitor,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type NameNode,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  type ValidationContext,
} from 'graphql';
import { type DoorCode, documentError } from './door-error.ts';

/** What one document may ask for, before anything of it is run. What it costs to answer has a limit of its own. */
export const DOCUMENT_LIMITS = {
  tokensMax: 2_000,
  /** Of a field or another name: it comes back in answers and messages. */
  nameCharsMax: 200,
  depthMax: 12,
  /** Introspection nests by nature: what every tool asks for is 15 deep. */
  introspectionDepthMax: 20,
  /** Lists within lists when types are asked for their members: a third multiplies the whole schema with itself. */
  memberListsMax: 2,
  aliasesMax: 15,
  directivesMax: 20,
  /** Fields and fragments, each counted as often as fragments bring it in: what every later look at the document costs. */
  selectionsMax: 2_000,
} as const;

/** How large a selection is with all fragments put in. */
interface Size {
  readonly depth: number;
  /** Of the deepest introspection in it. */
  readonly introspectionDepth: number;
  readonly memberLists: number;
  readonly aliases: number;
  readonly directives: number;
  readonly selections: number;
}

const NOTHING: Size = {
  depth: 0,
  introspectionDepth: 0,
  memberLists: 0,
  aliases: 0,
  directives: 0,
  selections: 0,
};

/** Fields of introspection that lead from one type to many others. */
const MEMBER_LISTS = ['types', 'fields', 'interfaces', 'possibleTypes', 'inputFields'];

/**
 * A validation rule: how large a document may be. It measures each fragment once, however often it is spread, and is asked before
 * the standard rules, some of which go through a fragment again each time. One fault of each kind is told.
 */
export function DocumentLimits(context: ValidationContext): ASTVisitor {
  const { sizeOf, sizeOfFragment } = makeMeasure((name) => context.getFragment(name));
  const told = new Set<string>();
  const tell = (code: DoorCode, message: string, node: FragmentDefinitionNode | OperationDefinitionNode | NameNode) => {
    if (told.has(message)) return;
    told.add(message);
    context.reportError(documentError(code, message, node));
  };
  const judge = (size: Size, node: FragmentDefinitionNode | OperationDefinitionNode) => {
    for (const { code, message, isOver } of LIMITS) if (isOver(size)) tell(code, message, node);
  };
  return {
    Name(name) {
      if (name.value.length > DOCUMENT_LIMITS.nameCharsMax) tell('NAME_TOO_LONG', LONG_NAME, name);
    },
    OperationDefinition(operation) {
      const { selectionSet, directives = [], variableDefinitions = [] } = operation;
      const outside = [{ directives }, ...variableDefinitions].reduce(
        (count, part) => count + (part.directives?.length ?? 0),
        0,
      );
      const size = sizeOf(selectionSet);
      judge({ ...size, directives: size.directives + outside }, operation);
    },
    // Also one that no operation spreads: the standard rules look at all of them.
    FragmentDefinition(fragment) {
      const size = sizeOfFragment(fragment.name.value);
      const isAboutTypes = fragment.typeCondition.name.value.startsWith('__');
      judge(isAboutTypes ? { ...size, depth: 0, introspectionDepth: size.depth } : size, fragment);
    },
  };
}

const LONG_NAME = `A name has more than ${DOCUMENT_LIMITS.nameCharsMax} characters. Choose a shorter one.`;

const LIMITS: readonly {
  readonly code: DoorCode;
  readonly message: string;
  readonly isOver: (size: Size) => boolean;
}[] = [
  {
    code: 'TOO_DEEP',
    message: `The operation nests deeper than ${DOCUMENT_LIMITS.depthMax} fields. Ask for the rest in a second one, by id.`,
    isOver: ({ depth }) => depth > DOCUMENT_LIMITS.depthMax,
  },
  {
    code: 'TOO_DEEP',
    message: `The introspection nests deeper than ${DOCUMENT_LIMITS.introspectionDepthMax} fields, or goes from members of types on to the members of theirs. Ask for those with __type(name).`,
    isOver: ({ introspectionDepth, memberLists }) =>
      introspectionDepth > DOCUMENT_LIMITS.introspectionDepthMax ||
      (introspectionDepth > 0 && memberLists > DOCUMENT_LIMITS.memberListsMax),
  },
  {
    code: 'TOO_MANY_ALIASES',
    message: `The operation gives fields more than ${DOCUMENT_LIMITS.aliasesMax} other names. Send several operations, or ask for lists.`,
    isOver: ({ aliases }) => aliases > DOCUMENT_LIMITS.aliasesMax,
  },
  {
    code: 'TOO_MANY_DIRECTIVES',
    message: `The operation has more than ${DOCUMENT_LIMITS.directivesMax} directives. Leave out what is not wanted instead of skipping it.`,
    isOver: ({ directives }) => directives > DOCUMENT_LIMITS.directivesMax,
  },
  {
    code: 'TOO_MANY_FIELDS',
    message: `With its fragments put in, the operation has more than ${DOCUMENT_LIMITS.selectionsMax} fields. Ask for less at once.`,
    isOver: ({ selections }) => selections > DOCUMENT_LIMITS.selectionsMax,
  },
];

function makeMeasure(fragmentOf: (name: string) => FragmentDefinitionNode | null | undefined) {
  const measured = new Map<string, Size>();
  const sizeOfFragment = (name: string): Size => {
    const known = measured.get(name);
    if (known !== undefined) return known;
    // A fragment that leads back to itself is refused by a standard rule; here it counts nothing.
    measured.set(name, NOTHING);
    const fragment = fragmentOf(name);
    if (fragment === null || fragment === undefined) return NOTHING;
    const inside = sizeOf(fragment.selectionSet);
    const size = { ...inside, directives: inside.directives + (fragment.directives?.length ?? 0) };
    measured.set(name, size);
    return size;
  };
  const sizeOf = ({ selections }: SelectionSetNode): Size =>
    selections.reduce((size, selection) => both(size, sizeOfSelection(selection)), NOTHING);
  const sizeOfSelection = (selection: SelectionNode): Size => {
    const directives = selection.directives?.length ?? 0;
    const inside = insideOf(selection);
    return { ...inside, directives: inside.directives + directives, selections: inside.selections + 1 };
  };
  const insideOf = (selection: SelectionNode): Size => {
    switch (selection.kind) {
      case Kind.FIELD:
        return sizeOfField(selection, selection.selectionSet === undefined ? NOTHING : sizeOf(selection.selectionSet));
      case Kind.INLINE_FRAGMENT:
        return sizeOf(selection.selectionSet);
      case Kind.FRAGMENT_SPREAD:
        return sizeOfFragment(selection.name.value);
      default:
        return selection satisfies never;
    }
  };
  return { sizeOf, sizeOfFragment };
}

function sizeOfField({ name, alias }: FieldNode, inside: Size): Size {
  const isIntrospection = name.value.startsWith('__');
  return {
    ...inside,
    depth: isIntrospection ? 1 : inside.depth + 1,
    introspectionDepth: isIntrospection ? inside.depth + 1 : inside.introspectionDepth,
    memberLists: inside.memberLists + (MEMBER_LISTS.includes(name.value) ? 1 : 0),
    aliases: inside.aliases + (alias === undefined ? 0 : 1),
  };
}

function both(one: Size, other: Size): Size {
  return {
    depth: Math.max(one.depth, other.depth),
    introspectionDepth: Math.max(one.introspectionDepth, other.introspectionDepth),
    memberLists: Math.max(one.memberLists, other.memberLists),
    aliases: one.aliases + other.aliases,
    directives: one.directives + other.directives,
    selections: one.selections + other.selections,
  };
}
