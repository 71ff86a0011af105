/** A message of protobuf, by the numbers of its fields: what came several times is several values. */
export type Message = ReadonlyMap<number, readonly Value[]>;

/** Bytes of a length that was told, or a number. */
type Value = Buffer | bigint;

/** Reads the wire format, knowing nothing of what it says. */
export function readMessage(bytes: Buffer): Message {
  const fields = new Map<number, Value[]>();
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at];
      if (byte === undefined) throw new RangeError('a number is cut off');
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (count: number) => {
    if (at + count > bytes.length) throw new RangeError('a field is cut off');
    at += count;
    return bytes.subarray(at - count, at);
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const wire = tag & 7;
    const value = wire === 0 ? varint() : take(wire === 1 ? 8 : wire === 5 ? 4 : Number(varint()));
    fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), value]);
  }
  return fields;
}

export function bytesIn(message: Message, field: number): readonly Buffer[] {
  return (message.get(field) ?? []).filter((value) => typeof value !== 'bigint');
}

export function messagesIn(message: Message, field: number): readonly Message[] {
  return bytesIn(message, field).map(readMessage);
}

/** Empty when it is not there, as the format has it. */
export function textIn(message: Message, field: number): string {
  return bytesIn(message, field).at(-1)?.toString() ?? '';
}

/** Zero when it is not there, as the format has it. */
export function numberIn(message: Message, field: number): number {
  const value = message.get(field)?.at(-1) ?? 0n;
  return Number(typeof value === 'bigint' ? value : value.readBigUInt64LE());
}

export function doublesIn(message: Message, field: number): readonly number[] {
  return bytesIn(message, field).flatMap((bytes) =>
    Array.from({ length: bytes.length / 8 }, (_, index) => bytes.readDoubleLE(index * 8)),
  );
}
