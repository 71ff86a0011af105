import { decodeFields, decodeText, type Fields } from '../core/decode.ts';

/** How long a command waits for its answer. */
const ANSWER_MS_MAX = 30_000;

export type GatewayAnswer =
  | { readonly kind: 'answered'; readonly data: Fields }
  /** In words for a person. */
  | { readonly kind: 'refused'; readonly why: string };

/** Sends one GraphQL operation. Follows no redirect: the key is for the gateway that was named, and for nobody else. */
export async function askGateway(
  gateway: { readonly url: string; readonly key: string | null },
  operation: { readonly query: string; readonly variables: Readonly<Record<string, unknown>> },
): Promise<GatewayAnswer> {
  const { url, key } = gateway;
  try {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      redirect: 'error',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      },
      body: JSON.stringify(operation),
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
    return readAnswer(response.status, await response.text(), url);
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const why = cause instanceof Error ? cause.message : String(cause);
    return { kind: 'refused', why: `No answer from ${url}: ${why}. Is the gateway there? SWITCHYARD_URL says where.` };
  }
}

function readAnswer(status: number, text: string, url: string): GatewayAnswer {
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
