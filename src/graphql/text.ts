import { CHAT_LIMITS } from '../core/chat-request.ts';
import { invalidInput } from './door-error.ts';

const TEXT_LIMITS = {
  reasonCharsMax: 500,
  nameCharsMax: 500,
  namesMax: 100,
  labelsMax: CHAT_LIMITS.metadataLabelsMax,
} as const;

/** A user id as it may be asked for. Throws what is wrong with it. */
export function parseUserId(text: string): string {
  return parseText(text, { name: 'userId', charsMax: CHAT_LIMITS.userIdCharsMax });
}

/** An operator's reason. Null when none was given. */
export function parseReason(text: string | null | undefined): string | null {
  if (text === null || text === undefined || text === '') return null;
  return parseText(text, { name: 'reason', charsMax: TEXT_LIMITS.reasonCharsMax });
}

/** Names to filter by; empty when the caller did not say. */
export function parseNames(names: readonly string[] | null | undefined, field: string): readonly string[] {
  if (names === null || names === undefined) return [];
  if (names.length > TEXT_LIMITS.namesMax)
    throw invalidInput(`\`${field}\` takes at most ${TEXT_LIMITS.namesMax} values.`);
  return names.map((name) => parseText(name, { name: field, charsMax: TEXT_LIMITS.nameCharsMax }));
}

/** Labels to filter by: an object of short texts. */
export function parseLabels(value: unknown): Readonly<Record<string, string>> {
  if (value === null || value === undefined) return {};
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw invalidInput('`metadata` must be an object of short texts, such as {"team": "search"}.');
  }
  const entries = Object.entries(value);
  if (entries.length > TEXT_LIMITS.labelsMax)
    throw invalidInput(`\`metadata\` takes at most ${TEXT_LIMITS.labelsMax} labels.`);
  const charsMax = CHAT_LIMITS.metadataCharsMax;
  return Object.fromEntries(
    entries.map(([name, label]) => {
      if (typeof label !== 'string') throw invalidInput(`\`metadata.${name}\` must be a text.`);
      return [
        parseText(name, { name: 'metadata', charsMax }),
        parseText(label, { name: `metadata.${name}`, charsMax }),
      ];
    }),
  );
}

function parseText(text: string, of: { readonly name: string; readonly charsMax: number }): string {
  if (text.length < 1 || text.length > of.charsMax) {
    throw invalidInput(`\`${of.name}\` must have 1 to ${of.charsMax} characters, got ${text.length}.`);
  }
  if (text.includes('\u0000') || !text.isWellFormed())
    throw invalidInput(`\`${of.name}\` holds characters that cannot be stored.`);
  return text;
}
