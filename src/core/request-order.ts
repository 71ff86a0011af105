import type { RequestFilter } from './analytics.ts';
import { type RequestId, requestId } from './ids.ts';
import type { PageAnswer, PageQuery } from './page.ts';
import { isMatch } from './request-filter.ts';
import type { RequestOrder, RequestRecord } from './request-record.ts';
import { isSeen, type View } from './view.ts';

/** Far above what any cursor needs: anything longer is not one of ours. */
const CURSOR_CHARS_MAX = 300;

/** Where a request stands in an order. The id breaks ties, so that no two requests stand in the same place. */
export interface RequestPosition {
  /** Milliseconds for times, pico-dollars (a bigint) for money. */
  readonly value: number | bigint;
  readonly id: RequestId;
}

/** One page out of all requests, in any order they come. */
export function pageOfRequests(
  records: Iterable<RequestRecord>,
  query: {
    readonly page: PageQuery;
    readonly filter: RequestFilter;
    readonly order: RequestOrder;
    readonly view: View;
  },
): PageAnswer<RequestRecord> {
  const { page, order, view, filter } = query;
  const start = page.cursor === null ? null : parseCursor(page.cursor, order);
  if (page.cursor !== null && start === null) return { kind: 'badCursor' };
  const isForward = page.direction === 'forward';
  const sign = (order.direction === 'ascending') === isForward ? 1 : -1;
  const matching = Array.from(records).filter((record) => isSeen(record, view) && isMatch(record, filter));
  const ahead = matching.filter(
    (record) => start === null || comparePositions(positionOf(record, order), start) * sign > 0,
  );
  const walked = ahead.toSorted(
    (first, second) => comparePositions(positionOf(first, order), positionOf(second, order)) * sign,
  );
  const taken = walked.slice(0, page.size);
  const hasMoreAhead = walked.length > taken.length;
  const hasMoreBehind = matching.length > ahead.length;
  return {
    kind: 'page',
    page: {
      items: (isForward ? taken : taken.toReversed()).map((item) => ({ cursor: cursorOf(item, order), item })),
      hasNext: isForward ? hasMoreAhead : hasMoreBehind,
      hasPrevious: isForward ? hasMoreBehind : hasMoreAhead,
    },
  };
}

/** The cursor of a request in an order: opaque to callers, and good for that order only. */
export function cursorOf(record: RequestRecord, order: RequestOrder): string {
  const { value, id } = positionOf(record, order);
  return toBase64Url(JSON.stringify([nameOf(order), String(value), id]));
}

/** Where a cursor points. Null when it is none, or none of this order's. */
export function parseCursor(cursor: string, order: RequestOrder): RequestPosition | null {
  if (cursor.length > CURSOR_CHARS_MAX) return null;
  const parts = parseParts(cursor);
  if (parts === null) return null;
  const [name, text, id] = parts;
  if (name !== nameOf(order)) return null;
  const value = order.field === 'cost' ? parseMoney(text) : parseMs(text);
  return value === null ? null : { value, id: requestId(id) };
}

function positionOf(record: RequestRecord, order: RequestOrder): RequestPosition {
  switch (order.field) {
    case 'createdAt':
      return { value: record.createdAtMs, id: record.id };
    case 'cost':
      return { value: record.cost.total, id: record.id };
    case 'duration':
      return { value: record.timing.totalMs, id: record.id };
    default:
      return order.field satisfies never;
  }
}

function comparePositions(first: RequestPosition, second: RequestPosition): number {
  if (first.value !== second.value) return first.value < second.value ? -1 : 1;
  if (first.id === second.id) return 0;
  return first.id < second.id ? -1 : 1;
}

function nameOf(order: RequestOrder): string {
  return `${order.field} ${order.direction}`;
}

function parseParts(cursor: string): readonly [string, string, string] | null {
  try {
    const parts: unknown = JSON.parse(atob(cursor.replaceAll('-', '+').replaceAll('_', '/')));
    if (!Array.isArray(parts) || parts.length !== 3) return null;
    const [name, text, id]: unknown[] = parts;
    return typeof name === 'string' && typeof text === 'string' && typeof id === 'string' ? [name, text, id] : null;
  } catch {
    // Not base64, or not JSON: it came from somewhere else.
    return null;
  }
}

/** Whole pico-dollars that fit a signed 64-bit number. */
function parseMoney(text: string): bigint | null {
  if (!/^-?\d{1,19}$/.test(text)) return null;
  const value = BigInt(text);
  return BigInt.asIntN(64, value) === value ? value : null;
}

/** Milliseconds as `String` writes them, and no other spelling. */
function parseMs(text: string): number | null {
  const value = Number(text);
  return Number.isFinite(value) && value >= 0 && String(value) === text ? value : null;
}

/** Ids and numbers are ASCII, which is all that `btoa` takes. */
function toBase64Url(text: string): string {
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
