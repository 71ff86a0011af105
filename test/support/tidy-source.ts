/** What a stretch of TypeScript is. Strings include regular expressions and templates, without the code in their `${…}`. */
type Kind = 'code' | 'string' | 'comment';

interface Stretch {
  readonly kind: Kind;
  readonly text: string;
}

export interface Import {
  readonly specifier: string;
  /** Counted from 1. */
  readonly line: number;
  /** Names that are still imported when types are stripped; `*` for the whole module. Empty when only types are meant. */
  readonly values: readonly string[];
}

const TOKENS = {
  comment: /\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/y,
  string: /'(?:\\[\s\S]|[^'\\\n])*'?|"(?:\\[\s\S]|[^"\\\n])*"?/y,
  regex: /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y,
  template: /[`}](?:\\[\s\S]|\$(?!\{)|[^`\\$])*(?:`|\$\{|$)/y,
  code: /[\w$]+|\s+|[\s\S]/y,
} as const;

/** After these a slash divides; after anything else it begins a regular expression. */
const VALUE_END = /[\w$)\]}]$/;
const NO_VALUE = /^(?:return|typeof|case|in|of|do|else|void|delete|throw|new|await|yield|instanceof)$/;

/** Cuts a text into stretches. A small scanner of our own: TypeScript 7 has no parser that a program could call. */
function stretchesOf(text: string): readonly Stretch[] {
  const found: Stretch[] = [];
  /** For each template we are inside of: how many braces its current `${` has open. */
  const templates: number[] = [];
  let previous = '';
  for (let at = 0; at < text.length; ) {
    const open = templates.at(-1);
    const isTemplate = text[at] === '`' || (text[at] === '}' && open === 0);
    const isRegex = previous === '' || NO_VALUE.test(previous) || !VALUE_END.test(previous);
    const token = (isTemplate ? tokenAt('template', text, at) : null) ??
      tokenAt('comment', text, at) ??
      tokenAt('string', text, at) ??
      (isRegex ? tokenAt('regex', text, at) : null) ??
      tokenAt('code', text, at) ?? { kind: 'code', text: text.slice(at) };
    if (isTemplate && open === 0 && text[at] === '}') templates.pop();
    if (isTemplate && token.text.endsWith('${')) templates.push(0);
    if (token.text === '{' && open !== undefined) templates[templates.length - 1] = open + 1;
    if (token.text === '}' && open !== undefined && !isTemplate) templates[templates.length - 1] = open - 1;
    // The end of a literal is the end of a value, like a word.
    if (token.kind === 'string') previous = token.text.endsWith('${') ? '(' : 'literal';
    else if (token.kind === 'code' && token.text.trim() !== '') previous = token.text;
    found.push(token);
    at += token.text.length;
  }
  return found;
}

/** The same text in which only stretches of the given kinds are left. All else is blank, so that lines and columns stay. */
export function keepOnly(text: string, kinds: readonly Kind[]): string {
  return stretchesOf(text)
    .map((stretch) => (kinds.includes(stretch.kind) ? stretch.text : stretch.text.replace(/[^\n]/g, ' ')))
    .join('');
}

/** Everything that a file imports or re-exports, dynamically too. */
export function importsOf(text: string): readonly Import[] {
  const code = keepOnly(text, ['code']);
  return [...code.matchAll(/\b(?:from|import)\b/g)].flatMap(({ 0: word, index }) => {
    const rest = text.slice(index + word.length);
    const specifier = (word === 'from' ? /^\s*(['"])(.*?)\1/ : /^\s*\(?\s*(['"`])(.*?)\1/).exec(rest)?.[2];
    if (specifier === undefined) return [];
    const values = word === 'from' ? valuesOf(code.slice(0, index)) : ['*'];
    return [{ specifier, line: lineAt(text, index), values }];
  });
}

/** The line of an offset, counted from 1. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

function tokenAt(name: keyof typeof TOKENS, text: string, at: number): Stretch | null {
  const pattern = TOKENS[name];
  pattern.lastIndex = at;
  const found = pattern.exec(text)?.[0];
  if (found === undefined) return null;
  return { kind: name === 'code' || name === 'comment' ? name : 'string', text: found };
}

/** What the import or export statement at the end of `code` takes beyond types. */
function valuesOf(code: string): readonly string[] {
  const start = [...code.matchAll(/\b(?:import|export)\b/g)].at(-1)?.index ?? 0;
  const clause = code.slice(start).trim();
  if (/^(?:import|export)\s+type\b/.test(clause)) return [];
  const names = /^(?:import|export)\s*\{([^}]*)\}$/.exec(clause)?.[1];
  if (names === undefined) return ['*'];
  return names.split(',').flatMap((listed) => {
    const name = listed.trim().split(/\s+/)[0] ?? '';
    return name === '' || name === 'type' ? [] : [name];
  });
}
