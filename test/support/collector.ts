import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { bytesIn, doublesIn, type Message, messagesIn, numberIn, readMessage, textIn } from './protobuf.ts';

type Attributes = Readonly<Record<string, unknown>>;

/** A span as it arrived at the collector. */
export interface ArrivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty: it is the first of its trace. */
  readonly parentId: string;
  readonly name: string;
  readonly kind: 'INTERNAL' | 'SERVER' | 'CLIENT';
  readonly isError: boolean;
  readonly startNs: number;
  readonly endNs: number;
  readonly attributes: Attributes;
  readonly events: readonly { readonly name: string; readonly attributes: Attributes }[];
}

/** A figure as it arrived: of a histogram its sum. */
export interface ArrivedFigure {
  readonly name: string;
  readonly unit: string;
  readonly attributes: Attributes;
  readonly value: number;
  /** Of a histogram; empty otherwise. */
  readonly bounds: readonly number[];
}

/** A collector that takes OTLP over HTTP in protobuf, and keeps what came. */
export interface Collector extends AsyncDisposable {
  readonly url: string;
  readonly spans: readonly ArrivedSpan[];
  /** Of the last export. */
  readonly figures: readonly ArrivedFigure[];
  /** What was said of the sender, with the last export. */
  readonly resource: Attributes;
  /** Every body as it came, and the headers that it came with. */
  readonly bodies: readonly { readonly path: string; readonly headers: Attributes; readonly bytes: Buffer }[];
}

const KINDS = { 1: 'INTERNAL', 2: 'SERVER', 3: 'CLIENT' } as const;
const STATUS_ERROR = 2;

export async function startCollector(port = 0): Promise<Collector> {
  const bodies: { path: string; headers: Attributes; bytes: Buffer }[] = [];
  const spans: ArrivedSpan[] = [];
  let figures: readonly ArrivedFigure[] = [];
  let resource: Attributes = {};
  const server = createServer(async (request, response) => {
    const bytes = await buffer(request);
    const path = request.url ?? '';
    bodies.push({ path, headers: request.headers, bytes });
    for (const sent of messagesIn(readMessage(bytes), 1)) {
      resource = attributesIn(messagesIn(sent, 1)[0] ?? new Map(), 1);
      const parts = messagesIn(sent, 2).flatMap((scope) => messagesIn(scope, 2));
      if (path.endsWith('traces')) spans.push(...parts.map(spanOf));
      else figures = parts.flatMap(figuresOf);
    }
    response.setHeader('content-type', 'application/x-protobuf').end();
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}`,
    spans,
    get figures() {
      return figures;
    },
    get resource() {
      return resource;
    },
    bodies,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The spans of one trace as lines, each under the one it belongs to, in the order in which they began. */
export function treeOf(spans: readonly ArrivedSpan[], parentId = '', depth = 0): readonly string[] {
  const children = spans
    .filter((span) => span.parentId === parentId)
    .toSorted((one, other) => one.startNs - other.startNs);
  return children.flatMap((span) => [
    `${'  '.repeat(depth)}${span.kind} ${span.name}${span.isError ? ' (error)' : ''}`,
    ...treeOf(spans, span.spanId, depth + 1),
  ]);
}

function spanOf(message: Message): ArrivedSpan {
  const kind = numberIn(message, 6);
  if (kind !== 1 && kind !== 2 && kind !== 3) throw new RangeError(`a span of the kind ${kind}`);
  return {
    traceId: hexIn(message, 1),
    spanId: hexIn(message, 2),
    parentId: hexIn(message, 4),
    name: textIn(message, 5),
    kind: KINDS[kind],
    isError: messagesIn(message, 15).some((status) => numberIn(status, 3) === STATUS_ERROR),
    startNs: numberIn(message, 7),
    endNs: numberIn(message, 8),
    attributes: attributesIn(message, 9),
    events: messagesIn(message, 11).map((event) => ({ name: textIn(event, 2), attributes: attributesIn(event, 3) })),
  };
}

function figuresOf(message: Message): readonly ArrivedFigure[] {
  const basis = { name: textIn(message, 1), unit: textIn(message, 3) };
  const [plain] = [...messagesIn(message, 5), ...messagesIn(message, 7)];
  const points = plain === undefined ? [] : messagesIn(plain, 1);
  const histograms = messagesIn(message, 9).flatMap((histogram) => messagesIn(histogram, 1));
  return [
    ...points.map((point) => ({
      ...basis,
      attributes: attributesIn(point, 7),
      value: doublesIn(point, 4)[0] ?? numberIn(point, 6),
      bounds: [],
    })),
    ...histograms.map((point) => ({
      ...basis,
      attributes: attributesIn(point, 9),
      value: doublesIn(point, 5)[0] ?? 0,
      bounds: doublesIn(point, 7),
    })),
  ];
}

function attributesIn(message: Message, field: number): Attributes {
  return Object.fromEntries(
    messagesIn(message, field).map((pair) => [textIn(pair, 1), plainOf(messagesIn(pair, 2)[0] ?? new Map())]),
  );
}

function plainOf(value: Message): unknown {
  if (value.has(2)) return numberIn(value, 2) === 1;
  if (value.has(3)) return numberIn(value, 3);
  if (value.has(4)) return doublesIn(value, 4)[0];
  const [list] = messagesIn(value, 5);
  return list === undefined ? textIn(value, 1) : messagesIn(list, 1).map(plainOf);
}

function hexIn(message: Message, field: number): string {
  return bytesIn(message, field).at(-1)?.toString('hex') ?? '';
}
