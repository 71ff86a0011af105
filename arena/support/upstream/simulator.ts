import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ArenaProvider } from '../registry.ts';
import { perform, readBody } from './answering.ts';
import { type Bill, type BillEntry, openBill } from './bill.ts';
import { isBilled, type Reaction, type Receipt, receiptOf, usageOf } from './reaction.ts';
import type { Usage } from './wire.ts';

/** A piece of a stream. */
const ONE_TOKEN: Usage = { inputTokens: 0, outputTokens: 1 };
const KEEP_ALIVE_MS = 60_000;

/** All upstream providers of one experiment: they bill on receipt, and do what they are told to. */
export interface Upstream extends AsyncDisposable {
  readonly port: number;
  readonly bill: Bill;
  /** Requests received so far. */
  readonly receivedCount: number;
  /** Requests that wait for their answer. */
  readonly openCount: number;
  /** Replaces what is done with each request from now on. */
  reactWith(react: (receipt: Receipt) => Reaction): void;
  /** Resolves when so many requests have been received in all; rejects when they have not within the limit. */
  whenReceived(count: number, withinMs: number): Promise<void>;
}

export async function startUpstream(of: {
  readonly providers: readonly ArenaProvider[];
  readonly billPath: string;
}): Promise<Upstream> {
  const bill = openBill(of.billPath);
  const desk = new Desk(of.providers, bill);
  const server = createServer({ noDelay: true, keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    response.on('error', () => undefined);
    desk.take(request, response).catch(() => response.destroy());
  });
  return {
    port: await listen(server),
    bill,
    get receivedCount() {
      return desk.receivedCount;
    },
    get openCount() {
      return desk.openCount;
    },
    reactWith(react) {
      desk.react = react;
    },
    whenReceived: (count, withinMs) => desk.whenReceived(count, withinMs),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      if (server.listening) await once(server, 'close');
      bill[Symbol.dispose]();
    },
  };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('the upstream has no port');
  return address.port;
}

/** Takes requests one by one: each is read, billed, and then dealt with. */
class Desk {
  react: (receipt: Receipt) => Reaction = () => ({ kind: 'answer' });
  receivedCount = 0;
  openCount = 0;
  private readonly providers: readonly ArenaProvider[];
  private readonly bill: Bill;
  private readonly waiting = new Set<{ readonly count: number; readonly tell: () => void }>();

  constructor(providers: readonly ArenaProvider[], bill: Bill) {
    this.providers = providers;
    this.bill = bill;
  }

  async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const provider = this.providers.find(({ key }) => request.url?.startsWith(`/${key}/`));
    const body = await readBody(request);
    if (provider === undefined || body === null) {
      response.destroy();
      return;
    }
    this.receivedCount += 1;
    const receipt = receiptOf({ number: this.receivedCount, provider: provider.key, body });
    const reaction = this.react(receipt);
    const usage = usageOf(reaction, receipt);
    this.bill.add(entryOf({ provider, receipt, usage, isBilled: isBilled(reaction) }));
    for (const { count, tell } of this.waiting) if (this.receivedCount >= count) tell();
    this.openCount += 1;
    try {
      await reaction.after;
      if (reaction.delayMs !== undefined) await sleep(reaction.delayMs);
      const piece = entryOf({ provider, receipt, usage: ONE_TOKEN, isBilled: true });
      await perform({ wire: provider.kind, reaction, usage, response, onPiece: () => this.bill.add(piece) });
      if (!response.closed) await once(response, 'close');
    } finally {
      this.openCount -= 1;
    }
  }

  async whenReceived(count: number, withinMs: number): Promise<void> {
    if (this.receivedCount >= count) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter = { count, tell: resolve };
    const late = () => reject(new Error(`${this.receivedCount} of ${count} requests received within ${withinMs} ms`));
    const timer = setTimeout(late, withinMs);
    this.waiting.add(waiter);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.waiting.delete(waiter);
    }
  }
}

function entryOf(of: {
  readonly provider: ArenaProvider;
  readonly receipt: Receipt;
  readonly usage: Usage;
  readonly isBilled: boolean;
}): BillEntry {
  const { provider, receipt, usage } = of;
  const cost =
    BigInt(usage.inputTokens) * provider.inputPicoPerToken + BigInt(usage.outputTokens) * provider.outputPicoPerToken;
  return {
    number: receipt.number,
    provider: provider.key,
    tag: receipt.tag,
    atMs: performance.now(),
    ...usage,
    amount: of.isBilled ? cost : 0n,
  };
}
