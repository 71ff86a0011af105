import { decodeFields, decodeList, decodeNullable, decodeNumber, decodeText, type Fields } from '../core/decode.ts';

/** How long a command waits for its answer. */
const ANSWER_MS_MAX = 30_000;

/** Where a gateway is, and what one comes with. */
export interface GatewayAddress {
  readonly url: string;
  /** Null: no credential. */
  readonly key: string | null;
}

export type GatewayAnswer = { readonly kind: 'answered'; readonly data: Fields } | Refused;

/** There is no answer, and why. */
export interface Refused {
  readonly kind: 'refused';
  /** Of docs/errors.md, or one of `OWN_CODES`. */
  readonly code: string;
  /** In words for a person. */
  readonly why: string;
  /** When the same may be sent again with more success, in milliseconds. Null: nobody said that it may. */
  readonly retryAfterMs: number | null;
}

/** The codes that a command gives by itself. docs/cli.md explains them. */
export const OWN_CODES = { unreachable: 'UNREACHABLE', withoutCode: 'REFUSED' } as const;

/** Sends one GraphQL operation; gives up when `left` aborts. Follows no redirect: the key is for the gateway that was named, and for nobody else. */
export async function askGateway(
  gateway: GatewayAddress,
  operation: { readonly query: string; readonly variables: Readonly<Record<string, unknown>> },
  left?: AbortSignal,
): Promise<GatewayAnswer> {
  const { url } = gateway;
  const late = AbortSignal.timeout(ANSWER_MS_MAX);
  try {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      redirect: 'error',
      headers: headersFor(gateway, 'application/json'),
      body: JSON.stringify(operation),
      signal: left === undefined ? late : AbortSignal.any([late, left]),
    });
    return readAnswer(response.status, await response.text(), url);
  } catch (error) {
    return unreached(url, error);
  }
}

export function headersFor({ key }: GatewayAddress, accept: string): Record<string, string> {
  const headers = { 'content-type': 'application/json', accept };
  return key === null ? headers : { ...headers, authorization: `Bearer ${key}` };
}

/** Nobody answered: why, and what to look at. */
export function unreached(url: string, error: unknown): Refused {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const why = cause instanceof Error ? cause.message : String(cause);
  return nobody(`No answer from ${url}: ${why}. Is the gateway there? SWITCHYARD_URL says where.`);
}

export function nobody(why: string): Refused {
  return { kind: 'refused', code: OWN_CODES.unreachable, why, retryAfterMs: null };
}

export function readAnswer(status: number, text: string, url: string): GatewayAnswer {
  try {
    const { data, errors } = decodeFields(JSON.parse(text));
    const faults = errors === undefined ? [] : decodeList(errors, decodeFields);
    return faults.length === 0 ? { kind: 'answered', data: decodeFields(data) } : refusal(faults);
  } catch {
    return nobody(`${url} does not answer as a gateway does: status ${status}.`);
  }
}

function refusal(faults: readonly Fields[]): Refused {
  const [first] = faults.map(({ extensions }) => (extensions === undefined ? {} : decodeFields(extensions)));
  return {
    kind: 'refused',
    code: first?.code === undefined ? OWN_CODES.withoutCode : decodeText(first.code),
    why: faults.map(({ message }) => decodeText(message)).join('\n'),
    retryAfterMs: first?.retryAfterMs === undefined ? null : decodeNullable(first.retryAfterMs, decodeNumber),
  };
}
