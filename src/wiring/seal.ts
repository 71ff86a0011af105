import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import type { MakeSeal } from '../ports/seal.ts';

/** AES-256-GCM, with a nonce of chance for each text (NIST SP 800-38D). */
const CIPHER = { name: 'aes-256-gcm', keyBytes: 32, nonceBytes: 12, tagBytes: 16 } as const;

/**
 * Derives all that is needed from the caller's idempotency key by HKDF-SHA-256 (RFC 5869), each part apart from the others. A key
 * that can be guessed can be tried out on what is stored; one with 128 bits of chance, such as a random UUID, cannot.
 */
export const makeSeal: MakeSeal = ({ account, key }) => {
  const part = (purpose: string) =>
    Buffer.from(hkdfSync('sha256', key, account, `switchyard idempotency ${purpose}`, CIPHER.keyBytes));
  const cipherKey = part('answer');
  const digestKey = part('digest');
  return {
    name: part('name').toString('hex'),
    digest: (text) => createHmac('sha256', digestKey).update(text).digest('hex'),
    close(request, text) {
      const nonce = randomBytes(CIPHER.nonceBytes);
      const cipher = createCipheriv(CIPHER.name, cipherKey, nonce).setAAD(Buffer.from(request));
      const hidden = [cipher.update(text, 'utf8'), cipher.final()];
      return Buffer.concat([nonce, ...hidden, cipher.getAuthTag()]).toString('base64');
    },
    open(request, sealed) {
      const bytes = Buffer.from(sealed, 'base64');
      const nonce = bytes.subarray(0, CIPHER.nonceBytes);
      const tag = bytes.subarray(-CIPHER.tagBytes);
      const options = { authTagLength: CIPHER.tagBytes };
      const cipher = createDecipheriv(CIPHER.name, cipherKey, nonce, options)
        .setAAD(Buffer.from(request))
        .setAuthTag(tag);
      const hidden = bytes.subarray(CIPHER.nonceBytes, -CIPHER.tagBytes);
      return Buffer.concat([cipher.update(hidden), cipher.final()]).toString('utf8');
    },
  };
};
