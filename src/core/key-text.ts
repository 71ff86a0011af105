import { type ApiKeyId, apiKeyId } from './ids.ts';

/** The parts of a key's text, in characters: 43 in base 62 hold 256 bits exactly. */
const KEY_TEXT = { idChars: 12, secretChars: 43, checksumChars: 6 } as const;

/** How many random bytes one key is made of: its id's, then its secret's. */
export const KEY_RANDOM_BYTES = { id: 16, secret: 32 } as const;

const BASE_62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

const FORM = /^(sy_([0-9A-Za-z]{12})_[0-9A-Za-z]{43})([0-9A-Za-z]{6})$/;

/** A key as its holder sends it: `sy_<id>_<secret><checksum>`. The text is the secret; only its hash is kept. */
export interface KeyText {
  readonly id: ApiKeyId;
  readonly text: string;
}

/** Makes a key of random bytes, as many as `KEY_RANDOM_BYTES` says. */
export function makeKeyText(random: { readonly id: Uint8Array; readonly secret: Uint8Array }): KeyText {
  if (random.id.length !== KEY_RANDOM_BYTES.id || random.secret.length !== KEY_RANDOM_BYTES.secret) {
    throw new RangeError('a key is made of exactly as many random bytes as it has room for');
  }
  const id = apiKeyId(inBase62(numberOf(random.id), KEY_TEXT.idChars));
  const body = `${prefixOf(id)}_${inBase62(numberOf(random.secret), KEY_TEXT.secretChars)}`;
  return { id, text: body + checksumOf(body) };
}

/** The id in a key's text. Null when no key looks like that: a mistyped or shortened one is known without a look-up. */
export function parseKeyText(text: string): ApiKeyId | null {
  const [, body, id, checksum] = FORM.exec(text) ?? [];
  return body !== undefined && id !== undefined && checksumOf(body) === checksum ? apiKeyId(id) : null;
}

/** The beginning of a key's text, by which people recognise it: it says nothing of the secret. */
export function prefixOf(id: ApiKeyId): string {
  return `sy_${id}`;
}

/** An API key's id out of what people write: the bare id, its global id `key_<id>`, or its prefix `sy_<id>`. Null when no key has such an id. */
export function parseKeyId(name: string): ApiKeyId | null {
  const id = /^(?:key_|sy_)?([0-9A-Za-z]{12})$/.exec(name)?.[1];
  return id === undefined ? null : apiKeyId(id);
}

/** Whether two digests are the same, in a time that does not depend on where they differ. */
export function isSameDigest(one: string, other: string): boolean {
  let difference = one.length ^ other.length;
  for (let index = 0; index < one.length; index += 1) {
    difference |= one.charCodeAt(index) ^ other.charCodeAt(index % Math.max(other.length, 1));
  }
  return difference === 0;
}

function checksumOf(body: string): string {
  return inBase62(BigInt(crc32(body)), KEY_TEXT.checksumChars);
}

function numberOf(bytes: Uint8Array): bigint {
  return bytes.reduce((number, byte) => number * 256n + BigInt(byte), 0n);
}

/** The last `chars` digits, with zeros before them. */
function inBase62(number: bigint, chars: number): string {
  let left = number;
  let digits = '';
  for (let place = 0; place < chars; place += 1) {
    digits = BASE_62.charAt(Number(left % 62n)) + digits;
    left /= 62n;
  }
  return digits;
}

/** CRC-32 as of zlib, of a text in ASCII. */
function crc32(text: string): number {
  let crc = 0xff_ff_ff_ff;
  for (let index = 0; index < text.length; index += 1) {
    crc ^= text.charCodeAt(index);
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xed_b8_83_20 : crc >>> 1;
  }
  return ~crc >>> 0;
}
