import type { Page } from '../core/page.ts';
import { builder, type Types } from './builder.ts';
import { PageInfoRef } from './refs.ts';

/** The descriptions of one connection and its edge. */
interface ConnectionWords {
  readonly page: string;
  readonly edges: string;
  readonly nodes: string;
  readonly pageInfo: string;
  readonly edge: string;
  readonly cursor: string;
  readonly node: string;
}

/** The page type of a noun, and its edge type: the Relay shape with a short cut to the nodes. */
export function makeConnection<Shape>(
  name: string,
  node: PothosSchemaTypes.ObjectRef<Types, Shape>,
  words: ConnectionWords,
) {
  const Edge = builder.objectRef<Page<Shape>['items'][number]>(`${name}Edge`).implement({
    description: words.edge,
    fields: (t) => ({
      cursor: t.exposeString('cursor', { description: words.cursor }),
      node: t.expose('item', { type: node, description: words.node }),
    }),
  });
  return builder.objectRef<Page<Shape>>(`${name}Connection`).implement({
    description: words.page,
    fields: (t) => ({
      edges: t.field({ type: [Edge], description: words.edges, resolve: ({ items }) => items }),
      nodes: t.field({ type: [node], description: words.nodes, resolve: ({ items }) => items.map(({ item }) => item) }),
      pageInfo: t.field({ type: PageInfoRef, description: words.pageInfo, resolve: (page) => page }),
    }),
  });
}
