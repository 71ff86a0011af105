import type { ApiKeyId } from '../core/ids.ts';
import { type Caller, lineOf } from '../gateway/caller.ts';

/** Who has said nothing of themselves yet fills few places, so that they cannot keep out those who can. */
export const UNPROVEN_MAX = 500;

/** The connections that are open here, and whose they are. */
export interface SocketPlaces<Socket> {
  /** Takes in a connection of nobody known. Answers one that has to make room for it: the one that has kept us waiting longest. Null: none has to. */
  enter(socket: Socket): Socket | null;
  /** Writes down whose it is. False: this line of keys has as many as it may. */
  prove(socket: Socket, caller: Caller): boolean;
  leave(socket: Socket): void;
}

export function makeSocketPlaces<Socket>(perLineMax: number): SocketPlaces<Socket> {
  /** In the order in which they came. */
  const unproven = new Set<Socket>();
  const lines = new Map<Socket, ApiKeyId>();
  const counts = new Map<ApiKeyId, number>();
  return {
    enter(socket) {
      unproven.add(socket);
      if (unproven.size <= UNPROVEN_MAX) return null;
      const [oldest = null] = unproven;
      if (oldest !== null) unproven.delete(oldest);
      return oldest;
    },
    prove(socket, caller) {
      const line = lineOf(caller);
      if (line !== null) {
        const count = counts.get(line) ?? 0;
        if (count >= perLineMax) return false;
        counts.set(line, count + 1);
        lines.set(socket, line);
      }
      unproven.delete(socket);
      return true;
    },
    leave(socket) {
      unproven.delete(socket);
      const line = lines.get(socket);
      if (line === undefined) return;
      lines.delete(socket);
      const count = (counts.get(line) ?? 1) - 1;
      if (count === 0) counts.delete(line);
      else counts.set(line, count);
    },
  };
}
