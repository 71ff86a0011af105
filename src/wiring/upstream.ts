import type { UpstreamFetch } from '../providers/exchange.ts';

/**
 * What holds for every connection to a provider. One that is not there after `connectMs`, TLS included, will not serve this
 * attempt any more (the timer looks twice a second). Connections are kept for `keepAliveMs` of idleness, or as long as the
 * provider says. How many there are is not limited here: no more than attempts under way.
 */
const UPSTREAM = { connectMs: 2_000, keepAliveMs: 4_000 } as const;

/** The way to the providers. Disposing of it closes every connection. */
export interface Upstream extends AsyncDisposable {
  readonly fetch: UpstreamFetch;
}

/** Opens it. Loads its package, which takes 100 ms once, so only where a provider is real. */
export async function openUpstream(connectMs: number = UPSTREAM.connectMs): Promise<Upstream> {
  const { Agent, fetch } = await import('undici');
  const dispatcher = new Agent({
    connect: { timeout: connectMs },
    keepAliveTimeout: UPSTREAM.keepAliveMs,
    // How long an answer may take is the attempt's own time limit, which its signal tells.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return {
    fetch: (url, outgoing) => fetch(url, { ...outgoing, dispatcher }),
    [Symbol.asyncDispose]: () => dispatcher.destroy(),
  };
}
