/** The longest text that one message between replicas may carry, in bytes of UTF-8: PostgreSQL takes 8,000, its address included. */
export const WIRE_TEXT_BYTES_MAX = 7_500;

/** The longest name of a topic, in characters. */
export const WIRE_TOPIC_CHARS_MAX = 40;

/** How much of a message a text takes up. */
export function wireBytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** Throws when a message cannot be sent: whoever makes one keeps to the limits. */
export function assertFitsWire(topic: string, text: string): void {
  if (topic.length > WIRE_TOPIC_CHARS_MAX || topic.includes('\n')) {
    throw new RangeError(`a topic is one line of at most ${WIRE_TOPIC_CHARS_MAX} characters, got ${topic.length}`);
  }
  const bytes = wireBytesOf(text);
  if (bytes > WIRE_TEXT_BYTES_MAX) {
    throw new RangeError(`a message carries at most ${WIRE_TEXT_BYTES_MAX} bytes, got ${bytes}`);
  }
}
