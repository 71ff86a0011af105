import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import type { Log } from '../ports/log.ts';
import { AddressRefused } from '../providers/address-refused.ts';
import type { UpstreamFetch } from '../providers/exchange.ts';
import type { AddressGate } from './address-ranges.ts';

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

/** Finds the addresses of a host. */
export type Resolve = (host: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;

interface UpstreamParts {
  readonly gate: AddressGate;
  readonly log: Log;
  readonly connectMs?: number;
  readonly resolve?: Resolve;
}

/**
 * Opens it. A connection goes to an address that `gate` was asked about, and a name is resolved once for each: what is connected
 * to is what was checked. Nothing goes through a proxy, whatever the environment says of one. Loads its package, which takes
 * 100 ms once, so only where a provider is real.
 */
export async function openUpstream(parts: UpstreamParts): Promise<Upstream> {
  const { connectMs = UPSTREAM.connectMs } = parts;
  const { Agent, buildConnector, fetch } = await import('undici');
  const refusalOf = makeCheck(parts);
  const connect = buildConnector({ timeout: connectMs, lookup: checkedLookup(parts.resolve ?? resolveAll, refusalOf) });
  const dispatcher = new Agent({
    connect: (options, callback) => {
      const { hostname } = options;
      // A literal address is never looked up, so it is checked here.
      const refusal = isIP(hostname) === 0 ? null : refusalOf({ host: hostname, address: hostname });
      if (refusal === null) connect(options, callback);
      else queueMicrotask(() => callback(refusal, null));
    },
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

type Check = (of: { readonly host: string; readonly address: string }) => AddressRefused | null;

/** Asks the gate, and tells the operator's log what callers are not told. */
function makeCheck({ gate, log }: UpstreamParts): Check {
  return ({ host, address }) => {
    const range = gate(address);
    if (range === null) return null;
    log.warn('refused to connect to a provider: its address is not listed in ALLOW_PRIVATE_UPSTREAMS', {
      host,
      address,
      range,
    });
    return new AddressRefused(range);
  };
}

/** All addresses of a name must be allowed: which of them gets the connection is not ours to say. */
function checkedLookup(resolve: Resolve, refusalOf: Check): LookupFunction {
  return (host, options, callback) => {
    const tell = async () => {
      const found = await resolve(host);
      const refusal = found.map(({ address }) => refusalOf({ host, address })).find((refused) => refused !== null);
      if (refusal !== undefined) throw refusal;
      return found;
    };
    tell().then(
      (found) => {
        const [first] = found;
        if (options.all === true) callback(null, [...found]);
        else callback(null, first?.address ?? '', first?.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, ''),
    );
  };
}

const resolveAll: Resolve = (host) => lookup(host, { all: true });
