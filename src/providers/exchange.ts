/** The longest answer that is read. The largest output limits of today's models are about 1 MB of text. */
export const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

/** How far the one upstream call of an attempt came, as seen here and not as a provider package tells it. */
export type Progress =
  /** Nothing was sent. */
  | { readonly kind: 'unsent' }
  /** The request was handed to the network; no complete answer yet, streamed or not. `httpStatus` is null before the answer's headers. */
  | { readonly kind: 'sent'; readonly httpStatus: number | null }
  /** The network failed. */
  | { readonly kind: 'broken'; readonly httpStatus: number | null; readonly fault: unknown }
  /** The answer is longer than `ANSWER_BYTES_MAX`. */
  | { readonly kind: 'tooLong'; readonly httpStatus: number }
  /** A complete answer. */
  | { readonly kind: 'answered'; readonly httpStatus: number; readonly headers: Headers; readonly body: Uint8Array }
  /** A complete stream. */
  | { readonly kind: 'streamed'; readonly httpStatus: number };

/** A request as it goes out: text, to one place, and following no redirect. */
interface Outgoing {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body: string | null;
  readonly signal: AbortSignal;
  readonly redirect: 'error';
}

/** What comes back, its body still on the way. */
interface Incoming {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Iterable<readonly [string, string]>;
  readonly body: AsyncIterable<Uint8Array> | null;
}

/** The network: any `fetch` will do. The service has one of its own, with a deadline for connecting. */
export type UpstreamFetch = (url: string, outgoing: Outgoing) => Promise<Incoming>;

/** One attempt's use of the network. Disposing of it closes the connection, unless all has been read. */
export interface Exchange extends Disposable {
  readonly fetch: typeof fetch;
  progress(): Progress;
}

interface ExchangeOptions {
  readonly fetch: UpstreamFetch;
  /** Scheme, host and port of the provider: the one place that its key goes to. */
  readonly origin: string;
  readonly furtherAnswer: () => Response;
  /** Hand on a successful answer while it comes. Anything else is read to its end first. */
  readonly isStreamed: boolean;
}

/**
 * A `fetch` for one attempt: it goes to the network once and to the provider's own origin only, follows no redirect, reads at most `ANSWER_BYTES_MAX` and remembers
 * how far it came. A provider package that asks again gets `furtherAnswer`, because the money held covers one request.
 */
export function makeExchange(of: ExchangeOptions): Exchange {
  let progress: Progress = { kind: 'unsent' };
  const connection = new AbortController();
  let isLeft = false;
  // Not by waiting for the next piece: a provider that has told of an error may never send one.
  const leave = () => {
    isLeft = true;
    connection.abort();
  };
  /** Reads on, and remembers what stopped it, unless we did. */
  const watched = async <T>(httpStatus: number | null, read: () => Promise<T>): Promise<T> => {
    try {
      return await read();
    } catch (fault) {
      if (progress.kind === 'sent' && !isLeft) progress = { kind: 'broken', httpStatus, fault };
      throw fault;
    }
  };
  const refuseLonger = (httpStatus: number): never => {
    progress = { kind: 'tooLong', httpStatus };
    throw new RangeError(`the answer is longer than ${ANSWER_BYTES_MAX} bytes`);
  };

  async function fetchOnce(...[input, init]: Parameters<typeof fetch>): Promise<Response> {
    if (progress.kind !== 'unsent') return of.furtherAnswer();
    const url = input instanceof Request ? input.url : String(input);
    if (new URL(url).origin !== of.origin) throw new Error("the call would not go to the provider's own address");
    const outgoing = { ...outgoingOf(init), signal: followedBy(connection, init?.signal) };
    progress = { kind: 'sent', httpStatus: null };
    const response = await watched(null, () => of.fetch(url, outgoing));
    const { status: httpStatus, statusText } = response;
    const headers = headersOf(response);
    progress = { kind: 'sent', httpStatus };
    if (of.isStreamed && httpStatus < 300 && response.body !== null) {
      const chunks = boundedChunks(response.body, () => refuseLonger(httpStatus));
      const next = () => watched(httpStatus, () => chunks.next());
      const ended = () => {
        progress = { kind: 'streamed', httpStatus };
      };
      return new Response(streamOf({ next, ended, leave }), {
        status: httpStatus,
        statusText,
        headers,
      });
    }
    const body = await watched(httpStatus, () =>
      readWhole(boundedChunks(response.body, () => refuseLonger(httpStatus))),
    );
    progress = { kind: 'answered', httpStatus, headers, body };
    return new Response(body.length === 0 ? null : body, { status: httpStatus, statusText, headers });
  }

  return { fetch: fetchOnce, progress: () => progress, [Symbol.dispose]: leave };
}

/** The connection's own signal, once it ends with the caller's. */
function followedBy(connection: AbortController, caller: AbortSignal | null | undefined): AbortSignal {
  const follow = () => connection.abort(caller?.reason);
  if (caller?.aborted === true) follow();
  caller?.addEventListener('abort', follow, { signal: connection.signal });
  return connection.signal;
}

/** What a provider package asks for. Packages send nothing but text for a chat; anything else must not go out as something different. */
function outgoingOf(init: RequestInit = {}): Omit<Outgoing, 'signal'> {
  const { method = 'GET', headers, body = null } = init;
  if (body !== null && typeof body !== 'string') throw new TypeError('the body is not text');
  return { method, headers: Object.fromEntries(new Headers(headers)), body, redirect: 'error' };
}

function headersOf({ headers }: Incoming): Headers {
  const all = new Headers();
  for (const [name, value] of headers) all.append(name, value);
  return all;
}

/** The body's chunks, up to `ANSWER_BYTES_MAX`. Beyond, `refuse` throws, and the connection is closed, since the rest is not read. */
async function* boundedChunks(
  body: Incoming['body'],
  refuse: () => never,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (body === null) return;
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > ANSWER_BYTES_MAX) refuse();
    yield chunk;
  }
}

async function readWhole(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return new Uint8Array(Buffer.concat(all));
}

/**
 * What a stream's last line ends in when it is whole. Some servers leave out the blank line that ends an event, and a parser then
 * drops the last one, which says why the answer ends and what it used. One that was cut in the middle of a line stays without.
 */
const WHOLE_ENDINGS: ReadonlySet<number | undefined> = new Set(Buffer.from('\n\r]}'));
const BLANK_LINE = Buffer.from('\n\n');

/** A body of events that is read only as fast as its reader takes it. */
function streamOf(of: {
  readonly next: () => Promise<IteratorResult<Uint8Array, void>>;
  readonly ended: () => void;
  readonly leave: () => void;
}): ReadableStream<Uint8Array> {
  let last: number | undefined;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const step = await of.next();
      if (step.done === true) {
        of.ended();
        if (WHOLE_ENDINGS.has(last)) controller.enqueue(BLANK_LINE);
        controller.close();
      } else {
        last = step.value.at(-1) ?? last;
        controller.enqueue(step.value);
      }
    },
    cancel: of.leave,
  });
}
