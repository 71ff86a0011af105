/** What a log line may carry besides its message. Never a prompt, an answer or a secret. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Where the service says what happened. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same log with these fields on every line. */
  with(fields: LogFields): Log;
}
