import { withoutEchoes } from './echo.ts';

/** Limits on what a failure may say. */
export const MESSAGE_LIMITS = {
  /** Longest message handed on. */
  charsMax: 500,
  /** Longest text that the patterns below are run over. */
  scannedCharsMax: 8_000,
  /** Longest text that is searched for what the caller wrote. */
  comparedCharsMax: 2_000,
} as const;

const SECRET = '[secret]';

/** What keys look like, for those that are not ours: a provider may quote back a part of a key, masked or not. */
const PATTERNS: readonly { readonly pattern: RegExp; readonly by: string }[] = [
  { pattern: /\b(bearer)\s+[^\s"',;<>]+/gi, by: `$1 ${SECRET}` },
  { pattern: /(x-(?:goog-)?api-key["']?\s*[:=]\s*["']?)[^\s"',;<>]+/gi, by: `$1${SECRET}` },
  { pattern: /([?&](?:key|api[-_]?key|access[-_]?token|token)=)[^&\s"'<>]+/gi, by: `$1${SECRET}` },
  // OpenAI and its kin, Anthropic (sk-ant-), Google, Groq, xAI, Hugging Face, Perplexity.
  { pattern: /\bsk-[\w*.-]{4,}/g, by: SECRET },
  { pattern: /\bAIza[\w*-]{8,}/g, by: SECRET },
  { pattern: /\b(?:gsk|xai|hf|pplx)[-_][\w*-]{12,}/g, by: SECRET },
];

/** What must not stand in words that are kept. */
export interface Unspoken {
  readonly secrets: readonly string[];
  /** What the caller wrote and the model answered. */
  readonly said: readonly string[];
}

/** Makes words from outside safe to keep: no secrets, no prompt, one line, at most `MESSAGE_LIMITS.charsMax` characters. */
export function redact(text: string, { secrets, said }: Unspoken): string {
  const known = secrets.filter((secret) => secret !== '').flatMap((secret) => [secret, encodeURIComponent(secret)]);
  // The longest first, so that a secret that contains another one goes as a whole.
  const withoutKnown = known
    .toSorted((first, second) => second.length - first.length)
    .reduce((rest, secret) => rest.replaceAll(secret, SECRET), text);
  const scanned = withoutKnown.slice(0, MESSAGE_LIMITS.scannedCharsMax);
  const redacted = PATTERNS.reduce((rest, { pattern, by }) => rest.replace(pattern, by), scanned);
  const line = onOneLine(redacted).trim().slice(0, MESSAGE_LIMITS.comparedCharsMax);
  return shortened(withoutEchoes(line, said.map(onOneLine)));
}

function onOneLine(text: string): string {
  return text.replace(/[\s\p{Cc}\u2028\u2029]+/gu, ' ');
}

function shortened(text: string): string {
  if (text.length <= MESSAGE_LIMITS.charsMax) return text.toWellFormed();
  return `${text.slice(0, MESSAGE_LIMITS.charsMax - 1)}…`.toWellFormed();
}
