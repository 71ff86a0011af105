import { type Document, isAlias, isMap, isPair, isScalar, isSeq, type LineCounter, type Node } from 'yaml';

export type Path = readonly (string | number)[];

/** A document and the beginnings of its lines. */
export interface Source {
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
}

export interface Place {
  /** Counted from 1. */
  readonly line: number;
  /** Counted from 1. */
  readonly column: number;
}

/** Where in the text the value at `path` stands; when it is missing, where the nearest thing around it stands. */
export function placeOfValue({ document, lines }: Source, path: Path): Place {
  let node: unknown = document.contents;
  let offset = offsetOf(node) ?? 0;
  for (const step of path) {
    node = childOf(resolved(node, document), step);
    offset = offsetOf(node) ?? offset;
  }
  return placeAt(offset, lines);
}

/** Where the key `key` of the map at `path` stands. */
export function placeOfKey(source: Source, path: Path, key: string): Place {
  const { document, lines } = source;
  const map = resolved(document.getIn(path, true), document);
  const pair = isMap(map) ? map.items.find((item) => nameOf(item.key) === key) : undefined;
  const offset = isPair(pair) ? offsetOf(pair.key) : null;
  return offset === null ? placeOfValue(source, path) : placeAt(offset, lines);
}

export function placeAt(offset: number, lines: LineCounter): Place {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

/** As a person writes it: `providers[1].models[0].quality`. Empty for the whole file. */
export function printPath(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? step : `${text}.${step}`;
  }, '');
}

function resolved(node: unknown, document: Document): unknown {
  return isAlias(node) ? node.resolve(document) : node;
}

function childOf(node: unknown, step: string | number): unknown {
  if (isSeq(node) && typeof step === 'number') return node.items[step];
  return isMap(node) ? node.items.find((pair) => nameOf(pair.key) === step)?.value : undefined;
}

function nameOf(key: unknown): string | null {
  return isScalar(key) ? String(key.value) : null;
}

function offsetOf(node: unknown): number | null {
  return isNodeWithRange(node) ? node.range[0] : null;
}

function isNodeWithRange(node: unknown): node is Node & { range: [number, number, number] } {
  return (isScalar(node) || isMap(node) || isSeq(node) || isAlias(node)) && Array.isArray(node.range);
}
