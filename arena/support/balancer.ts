import { setTimeout as sleep } from 'node:timers/promises';
import type { Exchange, Wish } from './client.ts';
import type { Scene } from './scene.ts';

/** Sends chats as a load balancer does: only to replicas that say they are ready, and again where that is safe. */
export interface Balancer extends AsyncDisposable {
  /** How the chat ended in the end. Null when nobody was ready for too long. */
  send(wish: Wish): Promise<Exchange | null>;
  /** The address of a replica that is ready. Null when none is. */
  next(): string | null;
}

const LOOK_EVERY_MS = 100;
const TRY_AGAIN_MS = 50;
const TRIES_MAX = 100;

export function openBalancer(scene: Pick<Scene, 'replicas' | 'chat'>): Balancer {
  let turn = 0;
  let isOver = false;
  const ready = new Set<string>();
  const look = async (replica: Scene['replicas'][number]) => {
    while (!isOver) {
      const url = replica.isRunning ? replica.url : null;
      const isReady = await replica.isReady();
      if (url !== null && isReady) ready.add(url);
      else if (url !== null) ready.delete(url);
      // A replica that was started again has another address.
      for (const known of ready)
        if (!scene.replicas.some((other) => other.isRunning && other.url === known)) ready.delete(known);
      await sleep(LOOK_EVERY_MS);
    }
  };
  const looking = Promise.all(scene.replicas.map(look));
  const next = () => {
    const urls = [...ready];
    turn += 1;
    return urls[turn % urls.length] ?? null;
  };
  return {
    next,
    async send(wish) {
      let last: Exchange | null = null;
      for (let tries = 1; tries <= TRIES_MAX && !isOver; tries += 1) {
        const url = next();
        if (url !== null) {
          last = await scene.chat(url, { ...wish, tag: `${wish.tag}.${tries}` });
          if (!maySendAgain(last)) return last;
        }
        await sleep(TRY_AGAIN_MS);
      }
      return last;
    },
    async [Symbol.asyncDispose]() {
      isOver = true;
      await looking;
    },
  };
}

/** Only what was never sent, or was refused with the word that it may come again: a chat costs money. */
function maySendAgain({ reply }: Exchange): boolean {
  switch (reply.kind) {
    case 'answered':
      return false;
    case 'refused':
      return reply.isRetryable;
    case 'broken':
      return !reply.isSent;
    default:
      return reply satisfies never;
  }
}
