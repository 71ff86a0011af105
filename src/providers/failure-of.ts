import { abortFailure, type Failure, type FailureKind } from '../core/failure.ts';
import type { EpochMs } from '../core/time.ts';
import { AddressRefused } from './address-refused.ts';
import type { Progress } from './exchange.ts';
import { fieldAt, parseJson } from './json-field.ts';
import { redact, type Unspoken } from './redact.ts';
import { limitResetOf, retryAfterOf, type Said } from './retry-after.ts';

/** What is known about an attempt that did not yield an answer. */
export interface Mishap extends Unspoken {
  readonly progress: Progress;
  /** What was thrown. */
  readonly error: unknown;
  readonly signal: AbortSignal;
  readonly nowMs: EpochMs;
  /** Whether this provider may bill a request that it answers with 5xx. */
  readonly areErrorsBilled: boolean;
}

type Facts = Pick<Failure, 'kind' | 'message' | 'billed'> & Partial<Pick<Failure, 'httpStatus' | 'retryAfterMs'>>;

/** Names a failure. The abort is looked at first: a package turns it into an error that looks like the network's fault. */
export function failureOf(mishap: Mishap): Failure {
  const { progress } = mishap;
  if (mishap.signal.aborted) {
    return abortFailure(mishap.signal, { billed: progress.kind === 'unsent' ? 'nothing' : 'unknown' });
  }
  const facts = factsOf(mishap);
  return {
    httpStatus: 'httpStatus' in progress ? progress.httpStatus : null,
    retryAfterMs: null,
    isSimulated: false,
    ...facts,
    message: redact(facts.message, mishap),
  };
}

/** The failure of a request that this adapter cannot express for the provider. No byte left. */
export function unsendable(reason: string): Failure {
  return {
    kind: 'rejected',
    message: reason,
    httpStatus: null,
    retryAfterMs: null,
    billed: 'nothing',
    isSimulated: false,
  };
}

function factsOf(mishap: Mishap): Facts {
  const { progress, error } = mishap;
  switch (progress.kind) {
    case 'unsent':
      return {
        kind: isRequestsFault(error) ? 'rejected' : 'misconfigured',
        billed: 'nothing',
        message: `The request could not be written: ${textOf(error)}`,
      };
    case 'sent':
    case 'streamed':
      return streamFacts(progress, error);
    case 'tooLong':
      return { kind: 'invalidResponse', billed: 'unknown', message: `HTTP ${progress.httpStatus}: ${textOf(error)}` };
    case 'broken':
      return brokenFacts(progress);
    case 'answered':
      return answeredFacts(progress, mishap);
    default:
      return progress satisfies never;
  }
}

/** What stopped a call that the network did not: the provider's own word, or a stream that cannot be understood. */
function streamFacts({ httpStatus }: Extract<Progress, { httpStatus: number | null }>, error: unknown): Facts {
  if (httpStatus === null)
    return { kind: 'networkError', billed: 'unknown', message: `The call broke off: ${textOf(error)}` };
  if (isProvidersWord(error))
    return { kind: 'providerError', billed: 'unknown', message: `In the middle of its answer: ${textOf(error)}` };
  const isQuoting = error instanceof Error && QUOTING_FAULTS.has(error.name);
  const fault = isQuoting ? 'a piece of the stream is not what its protocol says' : textOf(error);
  return { kind: 'invalidResponse', billed: 'unknown', message: `HTTP ${httpStatus}: ${fault}` };
}

/** What a stream tells of comes as it is, or as a package's error of a refused call. Other errors are what a package did not understand. */
function isProvidersWord(error: unknown): boolean {
  return !(error instanceof Error) || error.name === 'AI_APICallError';
}

/** Errors whose message repeats the piece that was not understood: it may hold what a model wrote. */
const QUOTING_FAULTS: ReadonlySet<string> = new Set(['AI_JSONParseError', 'AI_TypeValidationError']);

/**
 * A package's word that the request cannot be put to this provider. What else stops it lies in our settings, such as a key
 * that cannot stand in a header.
 */
function isRequestsFault(error: unknown): boolean {
  return error instanceof Error && REQUESTS_FAULTS.has(error.name);
}

const REQUESTS_FAULTS: ReadonlySet<string> = new Set([
  'AI_UnsupportedFunctionalityError',
  'AI_InvalidPromptError',
  'AI_InvalidArgumentError',
]);

// --- by HTTP status -----------------------------------------------------------------------------------------------------

function answeredFacts(answered: Extract<Progress, { kind: 'answered' }>, mishap: Mishap): Facts {
  const { httpStatus: status, headers } = answered;
  const text = new TextDecoder().decode(answered.body);
  const said: Said = { headers, body: parseJson(text), nowMs: mishap.nowMs };
  const kind = kindOfStatus(status, said.body);
  const message = messageOf({ status, body: said.body, text });
  const isLimit = kind === 'throttled';
  const isRefusalForNow = isLimit || kind === 'providerError';
  return {
    kind,
    message,
    billed: billedOf(status, mishap.areErrorsBilled),
    retryAfterMs: isRefusalForNow ? (retryAfterOf(said) ?? (isLimit ? limitResetOf(said) : null)) : null,
  };
}

/** The table of docs/routing.md. 402 is the operator's unpaid account, so other providers may be tried, as with 401 and 403. */
function kindOfStatus(status: number, body: unknown): FailureKind {
  if (status === 429) return 'throttled';
  if (status === 401 || status === 402 || status === 403) return 'misconfigured';
  if (status === 404) return 'notServed';
  if (status === 408) return 'timedOut';
  if (status >= 500) return 'providerError';
  if (status >= 400) return isOperatorsFault(body) ? 'misconfigured' : 'rejected';
  return 'invalidResponse';
}

/** Some providers answer 400 to what is the operator's fault: Gemini to a wrong key, Anthropic to an empty purse. */
function isOperatorsFault(body: unknown): boolean {
  const details = fieldAt(body, 'error', 'details');
  const reasons = Array.isArray(details) ? details.map((detail) => fieldAt(detail, 'reason')) : [];
  const message = fieldAt(body, 'error', 'message');
  return (
    reasons.includes('API_KEY_INVALID') || (typeof message === 'string' && /credit balance is too low/i.test(message))
  );
}

/** A 4xx is a refusal before any work, except 408: something was under way. A 5xx may come after the work was done. */
function billedOf(status: number, areErrorsBilled: boolean): Failure['billed'] {
  if (status >= 500) return areErrorsBilled ? 'unknown' : 'nothing';
  return status >= 400 && status !== 408 ? 'nothing' : 'unknown';
}

function messageOf(of: { readonly status: number; readonly body: unknown; readonly text: string }): string {
  const said = saidIn(of.body);
  if (said !== null) return `HTTP ${of.status}: ${said}`;
  // The body of a success is not quoted: it may hold what a model wrote.
  if (of.status < 400)
    return `HTTP ${of.status}, but the answer is ${of.body === undefined ? 'not JSON' : 'not a completion'}.`;
  return of.text.trim() === '' ? `HTTP ${of.status} without an explanation` : `HTTP ${of.status}: ${of.text}`;
}

/** The explanation in an error body, where OpenAI, Anthropic, Gemini or a compatible server put it. Null when there is none. */
function saidIn(body: unknown): string | null {
  const places: readonly (readonly (string | number)[])[] = [
    ['error', 'message'],
    [0, 'error', 'message'],
    ['error'],
    ['message'],
    ['detail'],
  ];
  const said = places
    .map((place) => fieldAt(body, ...place))
    .find((place) => typeof place === 'string' && place !== '');
  return typeof said === 'string' ? said : null;
}

// --- without a complete answer ------------------------------------------------------------------------------------------

/** TLS refused the connection, or it never came about, so no byte of the request left. */
const UNOPENED_CODES: ReadonlySet<unknown> = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

function brokenFacts({ fault, httpStatus }: Extract<Progress, { kind: 'broken' }>): Facts {
  const causes = causesOf(fault);
  const message = causes.map(textOf).join(': ');
  const refused = causes.find((cause) => cause instanceof AddressRefused);
  if (refused !== undefined) return { kind: 'misconfigured', billed: 'nothing', message: refused.message };
  if (causes.some((cause) => textOf(cause) === 'unexpected redirect')) {
    // Counted as nonsense: an API that redirects is not the API that was configured.
    return {
      kind: 'invalidResponse',
      billed: 'unknown',
      message: 'The provider answered with a redirect, and redirects are off: check the base URL.',
    };
  }
  if (causes.some((cause) => cause instanceof Error && cause.name === 'HTTPParserError')) {
    return { kind: 'invalidResponse', billed: 'unknown', message: `The answer is not HTTP: ${message}` };
  }
  // Once there are headers, the request has been received, whatever the fault says.
  if (httpStatus === null && causes.some(isUnopened)) {
    return { kind: 'networkError', billed: 'nothing', message: `No connection: ${message}` };
  }
  if (httpStatus === null && isArgumentFault(fault)) {
    return { kind: 'misconfigured', billed: 'nothing', message: `The request cannot be made: ${message}` };
  }
  return { kind: 'networkError', billed: 'unknown', message: `The connection broke: ${message}` };
}

/** fetch refuses its arguments by a TypeError alone; to a fault of the network it adds a cause. */
function isArgumentFault(fault: unknown): boolean {
  return fault instanceof TypeError && fault.cause === undefined;
}

/** Known by the call that failed and not by codes such as EHOSTUNREACH, which also end a connection in mid-request. */
function isUnopened(cause: unknown): boolean {
  const syscall = fieldAt(cause, 'syscall');
  return syscall === 'connect' || syscall === 'getaddrinfo' || UNOPENED_CODES.has(codeOf(cause));
}

const CAUSES_MAX = 8;

/** An error and what caused it, and the errors of several tries to connect. */
function causesOf(error: unknown): readonly unknown[] {
  const causes = [error];
  for (const cause of causes) {
    if (causes.length >= CAUSES_MAX) break;
    if (cause instanceof AggregateError) causes.push(...cause.errors);
    if (cause instanceof Error && cause.cause !== undefined) causes.push(cause.cause);
  }
  return causes;
}

function codeOf(error: unknown): unknown {
  return fieldAt(error, 'code');
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) {
    // What a stream tells of is no Error: the vendor's own words, as they came.
    const said = typeof error === 'string' ? error : fieldAt(error, 'message');
    return typeof said === 'string' && said !== '' ? said : 'unknown fault';
  }
  return error.message === '' ? String(codeOf(error) ?? error.name) : error.message;
}
