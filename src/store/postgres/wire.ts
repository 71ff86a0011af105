import { type ReplicaId, replicaId } from '../../core/ids.ts';
import { assertFitsWire } from '../../core/wire.ts';
import type { Log } from '../../ports/log.ts';
import type { OnMessage, WirePort } from '../../ports/wire.ts';
import type { Connection } from './connection.ts';

const CHANNEL = 'switchyard_wire';

/** How many messages may be on their way to PostgreSQL at once; what is said meanwhile is lost. */
const WAITING_MAX = 64;

/** Messages are notifications: they are kept nowhere, and reach whoever listens at that moment. */
export function makePostgresWire({ ears, wire }: Connection, of: { replica: ReplicaId; log: Log }): WirePort {
  const listeners = new Map<string, Set<OnMessage>>();
  let waiting = 0;
  const deliver = (payload: string) => {
    const message = parseMessage(payload);
    if (message === null || message.from === of.replica) return;
    for (const act of listeners.get(message.topic) ?? []) {
      // Another version may say what breaks one listener: the others, and the connection, have nothing to do with that.
      try {
        act(message.text, message.from);
      } catch (error) {
        of.log.warn('a message of another replica broke who heard it', { topic: message.topic, error: String(error) });
      }
    }
  };
  ears.hear(CHANNEL, deliver);
  return {
    publish(topic, text) {
      assertFitsWire(topic, text);
      if (waiting === WAITING_MAX) return;
      waiting += 1;
      const forget = () => {
        waiting -= 1;
      };
      // The lane has told everybody already when PostgreSQL is away.
      wire((sql) => sql`select pg_notify(${CHANNEL}, ${`${of.replica}\n${topic}\n${text}`})`).then(forget, forget);
    },
    onMessage(topic, act) {
      const acts = listeners.get(topic) ?? new Set();
      listeners.set(topic, acts.add(act));
      return { [Symbol.dispose]: () => acts.delete(act) };
    },
  };
}

/** Null for what no replica of ours says. */
function parseMessage(
  payload: string,
): { readonly from: ReplicaId; readonly topic: string; readonly text: string } | null {
  const topicAt = payload.indexOf('\n') + 1;
  const textAt = payload.indexOf('\n', topicAt) + 1;
  if (topicAt === 0 || textAt === 0) return null;
  return {
    from: replicaId(payload.slice(0, topicAt - 1)),
    topic: payload.slice(topicAt, textAt - 1),
    text: payload.slice(textAt),
  };
}
