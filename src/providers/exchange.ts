/** The longest answer that is read. The largest output limits of today's models are about 1 MB of text. */
export const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

/** How far the one upstream call of an attempt came, as seen here and not as a provider package tells it. */
export type Progress =
  /** Nothing was sent. */
  | { readonly kind: 'unsent' }
  /** The request was handed to the network; no complete answer yet. `httpStatus` is null before the answer's headers. */
  | { readonly kind: 'sent'; readonly httpStatus: number | null }
  /** The network failed. */
  | { readonly kind: 'broken'; readonly httpStatus: number | null; readonly fault: unknown }
  /** The answer is longer than `ANSWER_BYTES_MAX`. */
  | { readonly kind: 'tooLong'; readonly httpStatus: number }
  /** A complete answer. */
  | { readonly kind: 'answered'; readonly httpStatus: number; readonly headers: Headers; readonly body: Uint8Array };

/** A request as it goes out: text, to one place, and following no redirect. */
interface Outgoing {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body: string | null;
  readonly signal: AbortSignal | null;
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

/** One attempt's use of the network. */
export interface Exchange {
  readonly fetch: typeof fetch;
  progress(): Progress;
}

/**
 * A `fetch` for one attempt: it goes to the network once, follows no redirect, reads at most `ANSWER_BYTES_MAX` and remembers
 * how far it came. A provider package that asks again gets `furtherAnswer`, because the money held covers one request.
 */
export function makeExchange(of: { readonly fetch: UpstreamFetch; readonly furtherAnswer: () => Response }): Exchange {
  let progress: Progress = { kind: 'unsent' };

  async function fetchOnce(...[input, init]: Parameters<typeof fetch>): Promise<Response> {
    if (progress.kind !== 'unsent') return of.furtherAnswer();
    const url = input instanceof Request ? input.url : String(input);
    const outgoing = outgoingOf(init);
    progress = { kind: 'sent', httpStatus: null };
    try {
      const response = await of.fetch(url, outgoing);
      const { status: httpStatus, statusText } = response;
      const headers = headersOf(response);
      progress = { kind: 'sent', httpStatus };
      const body = await readBounded(response);
      if (body === null) {
        progress = { kind: 'tooLong', httpStatus };
        throw new RangeError(`the answer is longer than ${ANSWER_BYTES_MAX} bytes`);
      }
      progress = { kind: 'answered', httpStatus, headers, body };
      return new Response(body.length === 0 ? null : body, { status: httpStatus, statusText, headers });
    } catch (fault) {
      if (progress.kind === 'sent') progress = { kind: 'broken', httpStatus: progress.httpStatus, fault };
      throw fault;
    }
  }

  return { fetch: fetchOnce, progress: () => progress };
}

/** What a provider package asks for. Packages send nothing but text for a chat; anything else must not go out as something different. */
function outgoingOf(init: RequestInit = {}): Outgoing {
  const { method = 'GET', headers, body = null, signal = null } = init;
  if (body !== null && typeof body !== 'string') throw new TypeError('the body is not text');
  return { method, headers: Object.fromEntries(new Headers(headers)), body, signal, redirect: 'error' };
}

function headersOf({ headers }: Incoming): Headers {
  const all = new Headers();
  for (const [name, value] of headers) all.append(name, value);
  return all;
}

/** The whole body. Null when it is too long; the connection is then closed, since the rest is not read. */
async function readBounded(response: Pick<Incoming, 'body'>): Promise<Uint8Array<ArrayBuffer> | null> {
  if (response.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body) {
    length += chunk.length;
    if (length > ANSWER_BYTES_MAX) return null;
    chunks.push(chunk);
  }
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}
