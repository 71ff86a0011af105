// The why of a request has an address of its own, `#request/req_…`: it can be sent to a colleague, and "back" closes it.

const PREFIX = '#request/';

export function requestLink(requestId: string): string {
  return `${PREFIX}${encodeURIComponent(requestId)}`;
}

/** The request that an address names. Null: it names none. */
export function linkedRequest(hash: string): string | null {
  if (!hash.startsWith(PREFIX)) return null;
  try {
    return decodeURIComponent(hash.slice(PREFIX.length)) || null;
  } catch {
    return null;
  }
}

/** Takes the request out of the address, without a step in the history. */
export function dropLink(): void {
  if (linkedRequest(location.hash) === null) return;
  history.replaceState(history.state, '', location.pathname + location.search);
}
