import { pino } from 'pino';
import type { Log, LogFields } from '../ports/log.ts';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** Writes JSON lines to a stream, one object each: level by name, time as RFC 3339. */
export function makeLog(options: { readonly level: LogLevel; readonly stream: { write(line: string): void } }): Log {
  const root = pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    options.stream,
  );
  return wrap(root);
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
    debug: (message, fields = {}) => line.debug(fields, message),
    info: (message, fields = {}) => line.info(fields, message),
    warn: (message, fields = {}) => line.warn(fields, message),
    error: (message, fields = {}) => line.error(fields, message),
    with: (fields: LogFields) => wrap(line.child(fields)),
  };
}
