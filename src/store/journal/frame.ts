import { crc32 } from 'node:zlib';
import { type HoldId, holdId } from '../../core/ids.ts';

/** One thing that a replica must not forget. */
export type Entry =
  /** D: the call under this hold is about to be sent. Paid from `slice`; null when the hold is the store's. */
  | { readonly kind: 'sent'; readonly holdId: HoldId; readonly slice: HoldId | null }
  /** S, or V when nothing was billed: how the hold ends. `act` is as the store wrote it down. */
  | { readonly kind: 'settle'; readonly holdId: HoldId; readonly act: string }
  /** R: something else to carry out, such as the record of a request. */
  | { readonly kind: 'act'; readonly act: string };

/** What a journal file holds. */
export interface Frames {
  readonly entries: readonly Entry[];
  /**
   * `whole`: to the last byte. `torn`: it breaks off, as a file does whose writer was killed; what is missing was never safe.
   * `damaged`: something unreadable stands before something that can be read, so entries that were safe may be missing.
   */
  readonly ending: 'whole' | 'torn' | 'damaged';
}

/** Before each payload: its length and its CRC-32, four bytes each, least first. */
const HEAD_BYTES = 8;

/** No entry is longer: a length above this is damage, and not worth the memory. */
const PAYLOAD_BYTES_MAX = 16 * 1024 * 1024;

const LETTER = { head: 'H', sent: 'D', settle: 'S', act: 'R' } as const;

/** Begins each file. The number is that of this format; it grows when an older version could no longer read it. */
export const FILE_HEAD = frameAround(`${LETTER.head}1`);

/** One entry as it stands in the file. */
export function frameOf(entry: Entry): Buffer {
  return frameAround(payloadOf(entry));
}

function frameAround(text: string): Buffer {
  const payload = Buffer.from(text);
  if (payload.length > PAYLOAD_BYTES_MAX) throw new RangeError(`an entry of ${payload.length} bytes is no entry`);
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32LE(payload.length, 0);
  head.writeUInt32LE(crc32(payload), 4);
  return Buffer.concat([head, payload]);
}

function payloadOf(entry: Entry): string {
  switch (entry.kind) {
    case 'sent':
      return LETTER.sent + entry.holdId + (entry.slice === null ? '' : `\n${entry.slice}`);
    case 'settle':
      return `${LETTER.settle}${entry.holdId}\n${entry.act}`;
    case 'act':
      return LETTER.act + entry.act;
    default:
      return entry satisfies never;
  }
}

/** Reads a file as far as it can be read. Never throws: whatever stands in it, the entries that are whole are found. */
export function readFrames(file: Buffer): Frames {
  const entries: Entry[] = [];
  let ending: Frames['ending'] = 'whole';
  for (let at = 0; at < file.length; ) {
    const frame = frameAt(file, at);
    if (frame !== null) {
      // What can be read behind something that cannot shows that more than the end is missing.
      if (ending === 'torn') ending = 'damaged';
      entries.push(...frame.entries);
      at = frame.end;
      continue;
    }
    if (ending === 'whole') ending = 'torn';
    at += 1;
  }
  return { entries, ending };
}

/** The whole frame that begins here. Null when none does. */
function frameAt(file: Buffer, at: number): { readonly entries: readonly Entry[]; readonly end: number } | null {
  if (at + HEAD_BYTES >= file.length) return null;
  const length = file.readUInt32LE(at);
  const end = at + HEAD_BYTES + length;
  if (length === 0 || length > PAYLOAD_BYTES_MAX || end > file.length) return null;
  const payload = file.subarray(at + HEAD_BYTES, end);
  if (crc32(payload) !== file.readUInt32LE(at + 4)) return null;
  const entries = entriesOf(payload.toString());
  return entries === null ? null : { entries, end };
}

/** The entry in a payload; none in the head of a file. Null when it is no payload of ours. */
function entriesOf(payload: string): readonly Entry[] | null {
  const rest = payload.slice(1);
  switch (payload[0]) {
    case LETTER.head:
      return [];
    case LETTER.sent: {
      const [id = '', slice] = rest.split('\n');
      return [{ kind: 'sent', holdId: holdId(id), slice: slice === undefined ? null : holdId(slice) }];
    }
    case LETTER.settle: {
      const line = rest.indexOf('\n');
      return line === -1 ? null : [{ kind: 'settle', holdId: holdId(rest.slice(0, line)), act: rest.slice(line + 1) }];
    }
    case LETTER.act:
      return [{ kind: 'act', act: rest }];
    default:
      return null;
  }
}
