export const PAGE_LIMITS = { sizeMax: 200, sizeDefault: 50 } as const;

/** Which part of a long list is wanted. Cursors are opaque strings that an earlier page gave. */
export interface PageQuery {
  readonly size: number;
  readonly direction: 'forward' | 'backward';
  /** Forward: start after it. Backward: end before it. Null: from the start, or from the end. */
  readonly cursor: string | null;
}

export interface Page<Item> {
  /** Always in the list's own order, also when paging backward. */
  readonly items: readonly { readonly cursor: string; readonly item: Item }[];
  readonly hasNext: boolean;
  readonly hasPrevious: boolean;
}

/** A page, or the news that the cursor is none of this list's. */
export type PageAnswer<Item> = { readonly kind: 'page'; readonly page: Page<Item> } | { readonly kind: 'badCursor' };

/** One page of a list that is in its order already. `compare` is negative for items before the cursor's place, 0 at it. */
export function pageOfSorted<Item, Position>(
  items: readonly Item[],
  query: PageQuery,
  by: {
    readonly cursorOf: (item: Item) => string;
    /** Null for a text that is no cursor of this list. */
    readonly parseCursor: (text: string) => Position | null;
    readonly compare: (item: Item, position: Position) => number;
  },
): PageAnswer<Item> {
  const position = query.cursor === null ? null : by.parseCursor(query.cursor);
  if (query.cursor !== null && position === null) return { kind: 'badCursor' };
  const isForward = query.direction === 'forward';
  const ahead = items.filter((item) => {
    if (position === null) return true;
    return isForward ? by.compare(item, position) > 0 : by.compare(item, position) < 0;
  });
  const shown = isForward ? ahead.slice(0, query.size) : ahead.slice(-query.size);
  const isMoreAhead = ahead.length > shown.length;
  const isMoreBehind = items.length > ahead.length;
  return {
    kind: 'page',
    page: {
      items: shown.map((item) => ({ cursor: by.cursorOf(item), item })),
      hasNext: isForward ? isMoreAhead : isMoreBehind,
      hasPrevious: isForward ? isMoreBehind : isMoreAhead,
    },
  };
}

/** A cursor that is a whole number, such as an event's sequence. Null when it is none. */
export function parseSequence(text: string): number | null {
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}
