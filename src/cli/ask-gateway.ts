import { decodeFields, decodeText, type Fields } from '../core/decode.ts';

/** How long a command waits for its answer. */
const ANSWER_MS_MAX = 30_000;

/** Where a gateway is, and what one comes with. */
export interface GatewayAddress {
  readonly url: string;
  /** Null: no credential. */
  readonly key: string | null;
}

export type GatewayAnswer =
  | { readonly kind: 'answered'; readonly data: Fields }
  /** In words for a person. */
  | { readonly kind: 'refused'; readonly why: string };

/** Sends one GraphQL operation. Follows no redirect: the key is for the gateway that was named, and for nobody else. */
export async function askGateway(
  gateway: GatewayAddress,
  operation: { readonly query: string; readonly variables: Readonly<Record<string, unknown>> },
): Promise<GatewayAnswer> {
  const { url } = gateway;
  try {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      redirect: 'error',
      headers: headersFor(gateway, 'application/json'),
      body: JSON.stringify(operation),
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
    return readAnswer(response.status, await response.text(), url);
  } catch (error) {
    return { kind: 'refused', why: unreached(url, error) };
  }
}

export function headersFor({ key }: GatewayAddress, accept: string): Record<string, string> {
  const headers = { 'content-type': 'application/json', accept };
  return key === null ? headers : { ...headers, authorization: `Bearer ${key}` };
}

/** Why nobody answered, and what to look at. */
export function unreached(url: string, error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const why = cause instanceof Error ? cause.message : String(cause);
  return `No answer from ${url}: ${why}. Is the gateway there? SWITCHYARD_URL says where.`;
}

export function readAnswer(status: number, text: string, url: string): GatewayAnswer {
  try {
    const { data, errors, error } = decodeFields(JSON.parse(text));
    const faults = [...(Array.isArray(errors) ? errors : []), ...(error === undefined ? [] : [error])];
    if (faults.length > 0) return { kind: 'refused', why: faults.map(messageOf).join('\n') };
    return { kind: 'answered', data: decodeFields(data) };
  } catch {
    return { kind: 'refused', why: `${url} does not answer as a gateway does: status ${status}.` };
  }
}

function messageOf(fault: unknown): string {
  return decodeText(decodeFields(fault).message);
}
