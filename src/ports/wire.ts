import type { ReplicaId } from '../core/ids.ts';

/** A message as it was heard from another replica. */
export type OnMessage = (text: string, from: ReplicaId) => void;

/**
 * Word from replica to replica, for what is not worth a write: it may be lost, and nothing may depend on it but how soon something is
 * known. While the store is away nothing arrives, nor over a way that swallows everything; when it is back, or the way was found
 * broken, what is said from then on does.
 */
export interface WirePort {
  /**
   * Says something to all other replicas on the store, without waiting. Messages of one replica arrive in their order, but for those
   * that are lost. Throws when the text is longer than `WIRE_TEXT_BYTES_MAX`. The text holds no NUL.
   */
  publish(topic: string, text: string): void;
  /** Hears what other replicas say on a topic; never what this one says. An act that throws is logged, and keeps nothing from others. */
  onMessage(topic: string, act: OnMessage): Disposable;
}
