/** What a meter counts: seconds, dollars, or a number of things, which has no suffix. */
type Unit = 's' | 'usd' | '{token}' | '';

export interface MeterRow {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  /** As OpenTelemetry has it. */
  readonly name: string;
  readonly unit: Unit;
  /** Attributes as OpenTelemetry has them. */
  readonly labels: readonly string[];
  /** Upper bounds. Empty unless it is a histogram. */
  readonly buckets: readonly number[];
  readonly help: string;
}

const GEN_AI = ['gen_ai.operation.name', 'gen_ai.provider.name', 'gen_ai.request.model'] as const;

/** The buckets that the conventions for generative AI name: 10 ms to 82 s, each the double of the one before. */
const ANSWER_SECONDS = Array.from({ length: 14 }, (_, step) => 0.01 * 2 ** step);

/** The conventions' buckets for tokens: 1 to 67 million, each four times the one before. */
const TOKENS = Array.from({ length: 14 }, (_, step) => 4 ** step);

const FIRST_TOKEN_SECONDS = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const HTTP_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const OVERHEAD_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1];

/**
 * Every meter but those of the process, in the order in which they are shown. docs/operations.md has the same table, and a test compares
 * the two. Values of labels are of a closed set, or come from the registry: no caller can make a series.
 */
export const METER_TABLE = {
  requests: counter('requests', ['door', 'outcome', 'category'], 'Requests that ended.'),
  attempts: counter('attempts', ['provider', 'model', 'outcome'], 'Calls to providers that ended.'),
  fallbacks: counter('fallbacks', ['from', 'to', 'reason'], 'Attempts that followed a failed one.'),
  overhead: histogram('switchyard.overhead', {
    unit: 's',
    labels: ['door'],
    buckets: OVERHEAD_SECONDS,
    help: 'Time of a request that no provider took.',
  }),
  breakerState: gauge('breaker_state', ['provider', 'state'], '1 for the state that the breaker is in.'),
  breakerTransitions: counter(
    'breaker_transitions',
    ['provider', 'from', 'to', 'cause'],
    'Changes of breakers that this replica brought about.',
  ),
  cost: counter('cost', ['provider', 'model'], 'What calls cost. The ledger has it exactly.', 'usd'),
  budgetRefusals: counter('budget_refusals', ['reason'], 'Requests refused for want of money.'),
  budgetReserved: gauge('budget_reserved', [], 'Held for attempts that this replica has under way.', 'usd'),
  ratelimitRemaining: gauge('ratelimit_remaining', ['provider'], 'Requests that the rolling limit has room for.'),
  callersLimited: counter('callers_limited', [], 'Chats refused because their caller had used up its own limits.'),
  clientRetries: counter('client_retries', ['sdk'], 'Chats that a client sent again by itself.'),
  retriesRefused: counter('retries_refused', [], 'Candidates passed over because their retry budget was used up.'),
  holdsExpired: counter('holds_expired', [], 'Holds that nobody settled in time: posted in full by this replica.'),
  overruns: counter('overruns', [], 'Attempts that a provider billed above the limit it was sent.'),
  booksDifferences: gauge(
    'books_differences',
    [],
    'Accounts whose books did not balance when they were looked at last.',
  ),
  replicas: gauge('replicas', [], 'Replicas seen in the last minute, as this one sees it.'),
  replicasDiffering: gauge('replicas_differing', [], 'Replicas with another configuration than this one.'),
  configReloads: counter('config_reloads', ['outcome'], 'Readings of the configuration since the start.'),
  configStale: gauge('config_stale', [], '1 while what the operator wrote last is not in force, 0 while it is.'),
  storeUp: gauge('store_up', [], '1 while the store answers this replica, 0 while it does not.'),
  logQueue: gauge('log_queue_size', [], 'Entries of the journal that wait for the store.'),
  logRowsDropped: counter('log_rows_dropped', [], 'Requests that could not be written to the log.'),
  operationsInFlight: gauge('operations_in_flight', [], 'Operations under way.'),
  operationsRefused: counter('operations_refused', [], 'Operations sent away because too much was under way.'),
  authenticationFailures: counter(
    'authentication_failures',
    [],
    'Callers who came without a credential, or with one that does not work.',
  ),
  streamSubscribers: gauge('stream_subscribers', [], 'Subscriptions that are being told, streamed chats included.'),
  eventsDropped: counter('events_dropped', [], 'Events that slow subscribers were not told.'),
  spansDropped: counter('spans_dropped', [], 'Spans that never reached the collector.'),
  clientDuration: histogram('gen_ai.client.operation.duration', {
    unit: 's',
    labels: [...GEN_AI, 'error.type'],
    buckets: ANSWER_SECONDS,
    help: 'Calls to providers, each attempt by itself.',
  }),
  clientTokens: histogram('gen_ai.client.token.usage', {
    unit: '{token}',
    labels: [...GEN_AI, 'gen_ai.token.type'],
    buckets: TOKENS,
    help: 'Tokens of a call that are billed.',
  }),
  clientFirstChunk: histogram('gen_ai.client.operation.time_to_first_chunk', {
    unit: 's',
    labels: GEN_AI,
    buckets: ANSWER_SECONDS,
    help: 'Streamed calls: time to the first piece.',
  }),
  clientPerChunk: histogram('gen_ai.client.operation.time_per_output_chunk', {
    unit: 's',
    labels: GEN_AI,
    buckets: ANSWER_SECONDS,
    help: 'Streamed calls: time between two pieces, on average over the stream.',
  }),
  serverDuration: histogram('gen_ai.server.request.duration', {
    unit: 's',
    labels: [...GEN_AI, 'error.type'],
    buckets: ANSWER_SECONDS,
    help: 'Requests from beginning to end, all attempts included.',
  }),
  serverFirstToken: histogram('gen_ai.server.time_to_first_token', {
    unit: 's',
    labels: GEN_AI,
    buckets: FIRST_TOKEN_SECONDS,
    help: 'Streamed requests: time to the first piece, failed attempts included.',
  }),
  httpDuration: histogram('http.server.request.duration', {
    unit: 's',
    labels: ['http.request.method', 'http.route', 'http.response.status_code'],
    buckets: HTTP_SECONDS,
    help: 'HTTP requests until their answer was out, subscriptions included.',
  }),
} as const satisfies Record<string, MeterRow>;

export type MeterName = keyof typeof METER_TABLE;

/** The name of a meter, or of a label, in the text format of Prometheus: as the rules of OpenTelemetry make it out of the other one. */
export function exposedNameOf(row: Pick<MeterRow, 'name' | 'unit' | 'kind'>): string {
  const total = row.kind === 'counter' ? '_total' : '';
  return `${exposedLabelOf(row.name)}${SUFFIX_OF_UNIT[row.unit]}${total}`;
}

export function exposedLabelOf(label: string): string {
  return label.replaceAll('.', '_');
}

const SUFFIX_OF_UNIT = { s: '_seconds', usd: '_usd', '{token}': '', '': '' } as const satisfies Record<Unit, string>;

function counter(name: string, labels: readonly string[], help: string, unit: Unit = ''): MeterRow {
  return { kind: 'counter', name: `switchyard.${name}`, unit, labels, buckets: [], help };
}

function gauge(name: string, labels: readonly string[], help: string, unit: Unit = ''): MeterRow {
  return { kind: 'gauge', name: `switchyard.${name}`, unit, labels, buckets: [], help };
}

function histogram(name: string, of: Pick<MeterRow, 'unit' | 'labels' | 'buckets' | 'help'>): MeterRow {
  return { kind: 'histogram', name, ...of };
}
