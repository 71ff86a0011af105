import { closeSync, openSync, writeSync } from 'node:fs';
import type { Exchange, Wish } from './client.ts';

/** Everything the clients of one experiment saw: in memory for the checker, and in a file for whoever looks into a failure. */
export interface ClientLog extends Disposable {
  readonly exchanges: readonly Exchange[];
  /** Every chat that was begun, whether or not it has ended. */
  readonly wishes: readonly Wish[];
  begin(wish: Wish): void;
  add(exchange: Exchange): void;
}

const EXCHANGES_MAX = 500_000;

export function openClientLog(path: string): ClientLog {
  const descriptor = openSync(path, 'a', 0o600);
  const exchanges: Exchange[] = [];
  const wishes: Wish[] = [];
  return {
    exchanges,
    wishes,
    begin(wish) {
      if (wishes.length >= EXCHANGES_MAX) throw new RangeError(`a client log has at most ${EXCHANGES_MAX} chats`);
      wishes.push(wish);
    },
    add(exchange) {
      exchanges.push(exchange);
      writeSync(
        descriptor,
        `${JSON.stringify(exchange, (_key, value) => (typeof value === 'bigint' ? `${value}` : value))}\n`,
      );
    },
    [Symbol.dispose]: () => closeSync(descriptor),
  };
}
/** How often each ending was met, such as `answered` or a code. */
export function endingsOf(exchanges: readonly Exchange[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { reply } of exchanges) {
    const name = reply.kind === 'refused' ? reply.code : reply.kind;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}
