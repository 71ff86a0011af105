import { type LevelWithSilent, pino } from 'pino';
import type { Log, LogFields } from '../ports/log.ts';

/** Longest text of one field, and longest message. What is longer is cut, and ends in `…`. */
export const LOG_LIMITS = { textCharsMax: 2_000 } as const;

/**
 * Characters that JSON leaves as they are and that a terminal or an editor obeys: DEL and the C1 controls (one of them begins an ANSI
 * sequence), other line breaks, and what turns or hides the text around it. JSON itself escapes the C0 controls.
 */
const OBEYED = /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/**
 * Writes JSON lines to a stream, one object each: level by name, time as RFC 3339. Whatever callers and providers put into a value, it
 * stays one line that nothing is obeyed in, and of bounded length.
 */
export function makeLog(options: {
  readonly level: LevelWithSilent;
  readonly stream: { write(line: string): void };
}): Log {
  const root = pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => options.stream.write(line.replace(OBEYED, escaped)) },
  );
  return wrap(root);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

interface PinoLike {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): PinoLike;
}

function wrap(line: PinoLike): Log {
  return {
    debug: (message, fields = {}) => line.debug(bounded(fields), cut(message)),
    info: (message, fields = {}) => line.info(bounded(fields), cut(message)),
    warn: (message, fields = {}) => line.warn(bounded(fields), cut(message)),
    error: (message, fields = {}) => line.error(bounded(fields), cut(message)),
    with: (fields: LogFields) => wrap(line.child(bounded(fields))),
  };
}

function bounded(fields: LogFields): LogFields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === 'string' ? cut(value) : value]),
  );
}

function cut(text: string): string {
  const { textCharsMax } = LOG_LIMITS;
  return text.length <= textCharsMax ? text : `${text.slice(0, textCharsMax - 1)}…`.toWellFormed();
}
