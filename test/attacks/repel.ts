import { expect } from 'vitest';
import { REPLY_BYTES_MAX, type Reply, type Target } from './target.ts';

/** What is sent, and what must come: a status, one of several, or null for a connection that is closed without a word. */
export type Attack = readonly [
  name: string,
  attack: () => Promise<Reply>,
  status: number | readonly (number | null)[],
  says?: RegExp,
];

/** As rows of a table of tests. */
export const named = (attacks: readonly Attack[]) => attacks.map((attack) => [attack[0], attack] as const);

export async function expectRepelled(target: Target, [, attack, status, says]: Attack): Promise<void> {
  const reply = await attack();
  expect([status].flat(), reply.text.slice(0, 500)).toContain(reply.status);
  if (says !== undefined) expect(reply.text).toMatch(says);
  expect(Buffer.byteLength(reply.text)).toBeLessThan(REPLY_BYTES_MAX);
  await target.expectUnharmed();
}
