import { PAGE_LIMITS, type Page, type PageAnswer, type PageQuery } from '../core/page.ts';
import { builder } from './builder.ts';
import { invalidInput } from './door-error.ts';
import { PageInfoRef } from './refs.ts';

PageInfoRef.implement({
  description: 'Where a page ends.',
  fields: (t) => ({
    hasNextPage: t.boolean({ description: 'More after this page?', resolve: (page) => page.hasNext }),
    hasPreviousPage: t.boolean({ description: 'More before this page?', resolve: (page) => page.hasPrevious }),
    startCursor: t.string({
      description: 'Cursor of the first item.',
      nullable: true,
      resolve: (page) => page.items[0]?.cursor ?? null,
    }),
    endCursor: t.string({
      description: 'Cursor of the last item.',
      nullable: true,
      resolve: (page) => page.items.at(-1)?.cursor ?? null,
    }),
  }),
});

/** The arguments of every list that is read page by page. */
export function pageArgs() {
  return builder.args((t) => ({
    first: t.int({ description: 'Page size when paging forward, 1 to 200.' }),
    after: t.string({ description: 'Cursor to start after.' }),
    last: t.int({ description: 'Page size when paging backward, 1 to 200.' }),
    before: t.string({ description: 'Cursor to end before.' }),
  }));
}

interface PageArgs {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
  readonly last?: number | null | undefined;
  readonly before?: string | null | undefined;
}

/** Which page is asked for. Throws what the caller did wrong. */
export function parsePage(args: PageArgs): PageQuery {
  const { first = null, after = null, last = null, before = null } = args;
  if (first !== null && last !== null)
    throw invalidInput('Send `first` to page forward or `last` to page backward, not both.');
  if (after !== null && before !== null)
    throw invalidInput('Send `after` to page forward or `before` to page backward, not both.');
  if (first !== null && before !== null)
    throw invalidInput('`before` goes with `last`; page forward with `first` and `after`.');
  if (last !== null && after !== null)
    throw invalidInput('`after` goes with `first`; page backward with `last` and `before`.');
  const isBackward = last !== null || before !== null;
  const size = first ?? last ?? PAGE_LIMITS.sizeDefault;
  if (size < 1 || size > PAGE_LIMITS.sizeMax) {
    throw invalidInput(`\`${isBackward ? 'last' : 'first'}\` must be from 1 to ${PAGE_LIMITS.sizeMax}, got ${size}.`);
  }
  return { size, direction: isBackward ? 'backward' : 'forward', cursor: after ?? before };
}

/** The page that was asked for. Throws when the cursor belongs to no such list. */
export function pageOrThrow<Item>(answer: PageAnswer<Item>): Page<Item> {
  if (answer.kind === 'page') return answer.page;
  throw invalidInput(
    'This list has no such cursor. Take `startCursor` or `endCursor` of a page of the same list, with the same filter and order, or start without one.',
  );
}

/** The same page, every item seen in another way. */
export function mapPage<Item, Seen>(page: Page<Item>, see: (item: Item) => Seen): Page<Seen> {
  return { ...page, items: page.items.map(({ cursor, item }) => ({ cursor, item: see(item) })) };
}
