import { randomBytes } from 'node:crypto';

/** Places that a caller's words, a model's words and secrets come in by. None of them may turn up anywhere else. */
const PLACES = [
  'prompt',
  'system',
  'toolName',
  'toolDescription',
  'toolSchema',
  'toolArguments',
  'toolResult',
  'responseSchema',
  'stop',
  'imageUrl',
  'answer',
  'answerArguments',
  'streamedAnswer',
  'idempotencyKey',
  'badJson',
  'badVariable',
  'badField',
  'badEnum',
  'badQuery',
  'badModel',
  'path',
  'queryString',
  'cookie',
  'authorization',
  'connectionParams',
  'socketFrame',
  'openaiKey',
  'anthropicKey',
] as const;

export type Place = (typeof PLACES)[number];

/** A word of its own for each place, unlike everything else: what is searched for is the chance in it, so that a part of the word is found too. */
export type Canaries = Readonly<Record<Place, string>>;

export function makeCanaries(): Canaries {
  const words = PLACES.map((place) => [place, `cAnArY${place}${randomBytes(12).toString('hex')}`] as const);
  return Object.fromEntries(words) as Canaries;
}

/** The places whose canary stands in a text, whole or by the last half of its chance. */
export function foundIn(text: string, canaries: Partial<Canaries>): readonly string[] {
  return Object.entries(canaries).flatMap(([place, word]) => (text.includes(word.slice(-12)) ? [place] : []));
}
