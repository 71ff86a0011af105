import { once } from 'node:events';
import { createServer, connect as dial, type Socket } from 'node:net';

/** A way to a server, over a port of its own, that a test can close and open again. */
export interface Way extends AsyncDisposable {
  /** The server's URL by this way. */
  readonly url: string;
  /** Connections break, and new ones are refused. */
  cut(): Promise<void>;
  /** Connections stay, and new ones are taken, but nothing comes through any more. */
  swallow(): void;
  /** The connections that are there stay, and carry nothing any more, for good. New ones are well. */
  freeze(): void;
  /** All is as before. What was swallowed is lost. */
  mend(): Promise<void>;
}

export async function openWay(to: string): Promise<Way> {
  const target = new URL(to);
  const sockets = new Set<Socket>();
  let isSwallowing = false;
  let frozen = new Set<Socket>();
  const way = createServer((near) => {
    const far = dial(Number(target.port), target.hostname);
    for (const end of [near, far]) {
      sockets.add(end);
      end.on('error', () => end.destroy());
      end.on('close', () => {
        sockets.delete(end);
        near.destroy();
        far.destroy();
      });
    }
    near.on('data', (chunk) => isSwallowing || frozen.has(near) || far.write(chunk));
    far.on('data', (chunk) => isSwallowing || frozen.has(far) || near.write(chunk));
  });
  const listen = async (port: number) => {
    way.listen(port, '127.0.0.1');
    await once(way, 'listening');
    const address = way.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  };
  const breakAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  const port = await listen(0);
  const url = new URL(to);
  url.port = String(port);
  const cut = async () => {
    if (!way.listening) return;
    const closed = once(way, 'close');
    way.close();
    breakAll();
    await closed;
  };
  return {
    url: url.href,
    cut,
    swallow() {
      isSwallowing = true;
    },
    freeze() {
      frozen = new Set(sockets);
    },
    async mend() {
      isSwallowing = false;
      breakAll();
      if (!way.listening) await listen(port);
    },
    [Symbol.asyncDispose]: cut,
  };
}
