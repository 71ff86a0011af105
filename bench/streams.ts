import { restReader, type StreamReader, socketReader, sseReader, TOKENS } from './stream-readers.ts';
import { printFigures } from './table.ts';

/** What many streams at once found. */
export interface StreamResult {
  readonly tokensPerSecond: number;
  /** From sending the request to reading its first token. */
  readonly firstTokenMsP50: number;
  readonly firstTokenMsP99: number;
}

const COUNT_MAX = 4_000;

export type OpenReader = () => StreamReader | Promise<StreamReader>;

/** The three doors of a service, beside a proxy that only passes bytes on. */
export function streamTargets(of: {
  readonly proxy: string;
  readonly service: string;
}): ReadonlyMap<string, OpenReader> {
  return new Map<string, OpenReader>([
    ['bare node:http pass-through', () => restReader(of.proxy)],
    ['REST, /v1/chat/completions', () => restReader(of.service)],
    ['GraphQL, server-sent events', () => sseReader(of.service)],
    ['GraphQL, WebSocket', () => socketReader(of.service)],
  ]);
}

/** Reads streams from so many readers at once, each the next when its last has ended, for a bounded time and count. */
export async function readStreams(
  open: OpenReader,
  limits: { readonly streams: number; readonly forMs: number },
): Promise<StreamResult> {
  await using stack = new AsyncDisposableStack();
  const readers = await Promise.all(Array.from({ length: limits.streams }, async () => stack.use(await open())));
  const firsts: number[] = [];
  let begun = 0;
  const startedAt = performance.now();
  const isOver = () => performance.now() - startedAt >= limits.forMs || begun >= COUNT_MAX;
  await Promise.all(
    readers.map(async (reader) => {
      while (!isOver()) {
        begun += 1;
        firsts.push((await reader.read(begun)).firstTokenMs);
      }
    }),
  );
  const seconds = (performance.now() - startedAt) / 1_000;
  const sorted = firsts.toSorted((one, other) => one - other);
  return {
    tokensPerSecond: (firsts.length * TOKENS) / seconds,
    firstTokenMsP50: sorted[Math.floor(sorted.length * 0.5)] ?? Number.NaN,
    firstTokenMsP99: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN,
  };
}

export function printStreams(streams: number, results: ReadonlyMap<string, readonly StreamResult[]>): void {
  printFigures(`${streams} streams | tokens a second | ratio | first token p50 ms`, results, (result) => ({
    rate: result.tokensPerSecond,
    p50Ms: result.firstTokenMsP50,
    p99Ms: result.firstTokenMsP99,
  }));
}
