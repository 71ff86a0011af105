import {
  decodeBoolean,
  decodeFields,
  decodeMoney,
  decodeNullable,
  decodeNumber,
  decodeOneOf,
  decodeText,
} from './decode.ts';
import { ERROR_CODES } from './outcome.ts';
import type { RecordedError } from './request-record.ts';

/** What the log keeps of a failure, as it was stored. */
export function decodeRecordedError(value: unknown): RecordedError {
  const error = decodeFields(value);
  return {
    code: decodeOneOf(ERROR_CODES, error.code),
    message: decodeText(error.message),
    isRetryable: decodeBoolean(error.isRetryable),
    retryAfterMs: decodeNullable(error.retryAfterMs, decodeNumber),
    required: decodeNullable(error.required, decodeMoney),
    timeoutMs: decodeNullable(error.timeoutMs, decodeNumber),
  };
}

/** Labels as a caller gave them. */
export function decodeLabels(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(decodeFields(value)).map(([name, label]) => [name, decodeText(label)]));
}
