import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** What is wrong with the way to a server. */
export type Fault =
  | { readonly kind: 'none' }
  /** Every piece of data comes this much later, in both directions. */
  | { readonly kind: 'latency'; readonly ms: number }
  /** Connections that are there are reset, and new ones are reset at once. */
  | { readonly kind: 'refuse' }
  /** Connections are taken and everything is swallowed. What has swallowed anything is reset when the fault ends. */
  | { readonly kind: 'blackHole' }
  /** Nothing moves; what waited is delivered when the fault ends, as TCP does after a long loss of packets. */
  | { readonly kind: 'stall' }
  /** Data comes in pieces of at most so many bytes. */
  | { readonly kind: 'slice'; readonly bytes: number };

/** A way to a server on loopback that can be broken while it is in use. */
export interface FaultProxy extends AsyncDisposable {
  readonly port: number;
  /** Connections that are open now. */
  readonly connectionCount: number;
  /** What black holes have swallowed so far. */
  readonly swallowedBytes: number;
  /** From now on, for connections that are open too. */
  set(fault: Fault): void;
  /** Resets every connection once. */
  resetAll(): void;
}

const CONNECTIONS_MAX = 1_000;
const LOOPBACK = '127.0.0.1';

/** Stands in front of the server whose port `target` tells when a connection is made. */
export async function openProxy(target: () => number): Promise<FaultProxy> {
  let fault: Fault = { kind: 'none' };
  let swallowedBytes = 0;
  const swallow = (bytes: number) => {
    swallowedBytes += bytes;
  };
  const links = new Set<Link>();
  const server = createServer({ noDelay: true, pauseOnConnect: true, allowHalfOpen: true }, (near) => {
    if (fault.kind === 'refuse' || links.size >= CONNECTIONS_MAX) {
      near.on('error', () => undefined);
      near.resetAndDestroy();
      return;
    }
    const link = new Link(near, target, swallow);
    links.add(link);
    link.ended.then(() => links.delete(link));
    link.set(fault);
  });
  server.listen(0, LOOPBACK);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('the proxy has no port');
  const resetAll = () => {
    for (const link of links) link.reset();
  };
  return {
    port: address.port,
    get connectionCount() {
      return links.size;
    },
    get swallowedBytes() {
      return swallowedBytes;
    },
    set(next) {
      fault = next;
      if (next.kind === 'refuse') resetAll();
      else for (const link of links) link.set(next);
    },
    resetAll,
    async [Symbol.asyncDispose]() {
      resetAll();
      server.close();
      if (server.listening) await once(server, 'close');
    },
  };
}

/** One connection through the proxy. */
class Link {
  readonly ended: Promise<void>;
  private readonly near: Socket;
  private readonly target: () => number;
  private readonly end: () => void;
  private readonly onSwallowed: (bytes: number) => void;
  private far: Socket | null = null;
  private fault: Fault = { kind: 'none' };
  private hasSwallowed = false;
  private isEnded = false;

  constructor(near: Socket, target: () => number, onSwallowed: (bytes: number) => void) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.near = near;
    this.target = target;
    this.ended = promise;
    this.end = resolve;
    this.onSwallowed = onSwallowed;
    // Read only when something is to be done with what is read.
    near.pause();
    near.on('data', (chunk: Buffer) => {
      if (this.far === null) this.swallow(chunk);
    });
    near.on('error', () => this.reset());
    near.on('close', () => this.reset());
  }

  set(fault: Fault): void {
    const isHealed = this.fault.kind === 'blackHole' && fault.kind !== 'blackHole';
    // A connection that led nowhere, or that lost some of what was sent, is of no use any more.
    if (isHealed && (this.hasSwallowed || this.far === null)) {
      this.reset();
      return;
    }
    this.fault = fault;
    if (fault.kind === 'stall') {
      this.near.pause();
      this.far?.pause();
      return;
    }
    if (fault.kind !== 'blackHole') this.dial();
    this.near.resume();
    this.far?.resume();
  }

  reset(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    for (const socket of [this.near, this.far]) {
      if (socket !== null && !socket.destroyed) socket.resetAndDestroy();
    }
    this.end();
  }

  /** Connects to the server, when that is not done yet: a black hole takes connections that lead nowhere. */
  private dial(): void {
    if (this.far !== null) return;
    const far = connect({ host: LOOPBACK, port: this.target(), noDelay: true, allowHalfOpen: true });
    this.far = far;
    far.on('error', () => this.reset());
    far.on('close', () => this.reset());
    this.carry(this.near, far);
    this.carry(far, this.near);
  }

  private carry(from: Socket, to: Socket): void {
    let queue = Promise.resolve();
    const later = (act: () => Promise<void> | void) => {
      queue = queue.then(act);
    };
    from.on('data', (chunk: Buffer) => {
      const { fault } = this;
      switch (fault.kind) {
        case 'blackHole':
          this.swallow(chunk);
          return;
        case 'latency':
          return later(() => pause(fault.ms).then(() => this.write({ from, to, chunk })));
        case 'slice':
          return later(() => this.writeSliced({ from, to, chunk }, fault.bytes));
        case 'none':
        case 'refuse':
        case 'stall':
          return later(() => this.write({ from, to, chunk }));
        default:
          return fault satisfies never;
      }
    });
    from.on('end', () => {
      if (this.fault.kind !== 'blackHole') later(() => void to.end());
    });
  }

  private swallow(chunk: Buffer): void {
    this.hasSwallowed = true;
    this.onSwallowed(chunk.length);
  }

  private write({ from, to, chunk }: Piece): void {
    if (to.destroyed || !to.writable || to.write(chunk)) return;
    // The receiver is slow: let the sender feel it, instead of keeping everything here.
    from.pause();
    to.once('drain', () => {
      if (this.fault.kind !== 'stall') from.resume();
    });
  }

  private async writeSliced({ from, to, chunk }: Piece, bytes: number): Promise<void> {
    for (let start = 0; start < chunk.length; start += bytes) {
      this.write({ from, to, chunk: chunk.subarray(start, start + bytes) });
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

interface Piece {
  readonly from: Socket;
  readonly to: Socket;
  readonly chunk: Buffer;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
