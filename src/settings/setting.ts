/** One environment variable: how it is read, and what docs/configuration.md says about it. */
export interface Setting<T, U = T> {
  readonly name: string;
  readonly meaning: string;
  /** What its number counts. Null when it is no number. */
  readonly unit: string | null;
  /** As it would be written in the environment. Null when nothing is assumed. */
  readonly default: string | null;
  /** Completes the sentence "must be …". */
  readonly bounds: string;
  /** True when the value must never be printed. */
  readonly isSecret: boolean;
  /** Null when the text is out of bounds. */
  readonly parse: (text: string) => T | null;
  /** What stands in for an absent variable. */
  readonly unset: U;
}

export interface Described<T> {
  readonly name: string;
  readonly meaning: string;
  readonly bounds: string;
  readonly unit?: string;
  readonly isSecret?: boolean;
  readonly parse: (text: string) => T | null;
}

const SHOWN_CHARS_MAX = 80;

export function withDefault<T>(text: string, described: Described<T>): Setting<T> {
  const unset = described.parse(text);
  if (unset === null) throw new RangeError(`the default of ${described.name} is out of its own bounds`);
  return { unit: null, isSecret: false, ...described, default: text, unset };
}

export function optional<T>(described: Described<T>): Setting<T, null> {
  return { unit: null, isSecret: false, ...described, default: null, unset: null };
}

/** Reads one variable. White space around it does not count, and nothing but white space is unset. */
export function readSetting<T, U>(setting: Setting<T, U>, raw: string | undefined) {
  const text = textOf(raw);
  if (text === null) return { value: setting.unset, fault: null };
  const value = setting.parse(text);
  return value === null ? { value: setting.unset, fault: faultOf(setting, text) } : { value, fault: null };
}

/** The text of a variable without the white space around it. Null when nothing is left. */
export function textOf(raw: string | undefined): string | null {
  const text = raw?.trim() ?? '';
  return text === '' ? null : text;
}

function faultOf(setting: Setting<unknown>, text: string): string {
  const mend = setting.default === null ? 'unset it' : `unset it to use ${setting.default}`;
  return `${setting.name} ${shown(setting, text)} must be ${setting.bounds}: change it, or ${mend}`;
}

/** What a message says of a value: never a secret, nor a URL that may carry one. */
function shown(setting: Setting<unknown>, text: string): string {
  if (setting.isSecret || /[@?]/.test(text)) return '(its value is not shown)';
  return `is ${JSON.stringify(text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text)}, but`;
}
