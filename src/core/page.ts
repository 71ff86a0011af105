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
