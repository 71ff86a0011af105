import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Circuit } from '../core/breaker.ts';
import { CATEGORIES } from '../core/category.ts';
import type { ProviderKey } from '../core/ids.ts';
import { approximateUsd } from '../core/money.ts';
import { DOORS, REQUEST_STATUSES, type RequestRecord } from '../core/request-record.ts';
import type {
  AttemptMeasure,
  BrokenOff,
  Exposition,
  Meters,
  PlainMeters,
  ProviderStanding,
  ReloadOutcome,
} from '../ports/meters.ts';
import { exposedLabelOf, exposedNameOf, METER_TABLE, type MeterName, type MeterRow } from './meter-table.ts';

/** Takes one value of one series. Labels are given in the order of the table; one without a value is left out, which is the same to Prometheus. */
type Take = (name: MeterName, value: number, ...labels: readonly string[]) => void;

/** All meters, with those of the process, and where they can be read from. */
export interface MeterBook extends Meters, Exposition {
  /** Has `act` set what is only known when somebody asks, before each reading. */
  beforeReading(act: () => void): void;
  /** Every meter of the table as it stands now. */
  snapshot(): Promise<readonly MeterReading[]>;
}

export interface MeterReading {
  readonly name: MeterName;
  readonly samples: readonly Sample[];
}

/** One line of the text format. */
export interface Sample {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number | undefined>>;
  /** Of a histogram: the meter's own with `_bucket`, `_sum` or `_count` behind it. */
  readonly metricName?: string;
}

/** States of a breaker, each a series of its own. */
const STATES = ['closed', 'open', 'halfOpen'] as const satisfies readonly Circuit['kind'][];

/** Languages of the clients that tell of their retries. */
const SDKS: readonly string[] = ['js', 'python', 'go', 'java', 'kotlin', 'ruby', 'csharp'];

const OTHER_SDK = 'other';

/** What is said of a request that was refused for want of money, by its error. */
const REFUSAL_REASONS = { BUDGET_EXCEEDED: 'budget', COST_LIMIT_TOO_LOW: 'costLimit' } as const;

const METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'];

const BROKEN_OFF = ['unavailable', 'internal'] as const satisfies readonly BrokenOff[];

const RELOAD_OUTCOMES = ['applied', 'unchanged', 'refused', 'deferred'] as const satisfies readonly ReloadOutcome[];

const OPERATION = 'chat';

/**
 * All meters, in a registry of their own, in the text format of Prometheus. What tells of the process keeps the names `process_…`
 * and `nodejs_…`, by which dashboards know it. `nameOf` is what the conventions call a provider.
 */
export function makeMeters(nameOf: (provider: ProviderKey) => string = String): MeterBook {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const take = makeTake(registry);
  const acts: (() => void)[] = [];
  const refresh = () => {
    for (const act of acts) act();
  };
  beginAtZero(take);
  const genAi = (provider: ProviderKey | null, model: string | null) =>
    [OPERATION, provider === null ? '' : nameOf(provider), model ?? ''] as const;
  return {
    ...plainMeters(take),
    attemptEnded: (attempt) => takeAttempt(take, attempt, genAi(attempt.report.provider, attempt.report.model)),
    requestEnded: (record) => takeRequest(take, record, genAi(record.provider, record.model)),
    requestBroke: (door, why) => take('requests', 1, door, why),
    providersSeen(standings) {
      for (const name of STANDING_METERS) registry.getSingleMetric(exposedNameOf(METER_TABLE[name]))?.reset();
      for (const standing of standings) takeStanding(take, standing);
    },
    breakerChanged: (provider, { from, to, cause }) => take('breakerTransitions', 1, provider, from, to, cause),
    clientRetried: (language) => take('clientRetries', 1, SDKS.includes(language) ? language : OTHER_SDK),
    httpEnded: ({ method, route, status, durationMs }) =>
      take('httpDuration', durationMs / 1_000, METHODS.includes(method) ? method : '_OTHER', route, String(status)),
    configReloads: { count: (outcome) => take('configReloads', 1, outcome) },
    contentType: registry.contentType,
    async read() {
      refresh();
      return registry.metrics();
    },
    beforeReading: (act) => void acts.push(act),
    async snapshot() {
      refresh();
      const found = METER_NAMES.map(async (name) => {
        const metric = registry.getSingleMetric(exposedNameOf(METER_TABLE[name]));
        return { name, samples: metric === undefined ? [] : (await metric.get()).values };
      });
      return Promise.all(found);
    },
  };
}

/** A series that begins at 1 has no first increase for a rule to see: counters are shown before that, where all labels are known. */
function beginAtZero(take: Take): void {
  for (const door of DOORS) {
    for (const status of REQUEST_STATUSES)
      for (const category of CATEGORIES) take('requests', 0, door, status, category);
    for (const why of BROKEN_OFF) take('requests', 0, door, why);
  }
  for (const reason of Object.values(REFUSAL_REASONS)) take('budgetRefusals', 0, reason);
  for (const sdk of [...SDKS, OTHER_SDK]) take('clientRetries', 0, sdk);
  for (const outcome of RELOAD_OUTCOMES) take('configReloads', 0, outcome);
}

const METER_NAMES = Object.keys(METER_TABLE).filter((name): name is MeterName => name in METER_TABLE);

function takeAttempt(take: Take, attempt: AttemptMeasure, genAi: readonly [string, string, string]): void {
  const { report, upstreamMs, usage, firstChunkMs, perChunkMs } = attempt;
  const { provider, model, outcome } = report;
  take('attempts', 1, provider, model, outcome);
  take('clientDuration', upstreamMs / 1_000, ...genAi, outcome === 'succeeded' ? '' : outcome);
  if (report.cost > 0n) take('cost', approximateUsd(report.cost), provider, model);
  if (usage !== null) {
    take('clientTokens', usage.inputTokens, ...genAi, 'input');
    take('clientTokens', usage.outputTokens, ...genAi, 'output');
  }
  if (firstChunkMs !== null) take('clientFirstChunk', firstChunkMs / 1_000, ...genAi);
  if (perChunkMs !== null) take('clientPerChunk', perChunkMs / 1_000, ...genAi);
}

function takeRequest(take: Take, record: RequestRecord, genAi: readonly [string, string, string]): void {
  const { door, status, category, timing, error } = record;
  const { attempts } = record.routing;
  take('requests', 1, door, status, category);
  take('overhead', timing.overheadMs / 1_000, door);
  take('serverDuration', timing.totalMs / 1_000, ...genAi, error?.code ?? '');
  if (timing.timeToFirstTokenMs !== null) take('serverFirstToken', timing.timeToFirstTokenMs / 1_000, ...genAi);
  for (const [index, { provider, outcome }] of attempts.entries()) {
    const next = attempts[index + 1];
    if (next !== undefined) take('fallbacks', 1, provider, next.provider, outcome);
  }
  if (error?.code === 'BUDGET_EXCEEDED') take('budgetRefusals', 1, REFUSAL_REASONS.BUDGET_EXCEEDED);
  if (error?.code === 'COST_LIMIT_TOO_LOW') take('budgetRefusals', 1, REFUSAL_REASONS.COST_LIMIT_TOO_LOW);
}

/** What is shown of each provider. */
const STANDING_METERS = ['breakerState', 'ratelimitRemaining'] as const satisfies readonly MeterName[];

function takeStanding(take: Take, { provider, breaker, slotsLeft }: ProviderStanding): void {
  for (const state of STATES) take('breakerState', state === breaker ? 1 : 0, provider, state);
  take('ratelimitRemaining', slotsLeft, provider);
}

function plainMeters(take: Take): PlainMeters {
  const counter = (name: MeterName) => ({ add: (count: number) => take(name, count) });
  const gauge = (name: MeterName) => ({ set: (value: number) => take(name, value) });
  return {
    holdsExpired: counter('holdsExpired'),
    overruns: counter('overruns'),
    booksDifferences: gauge('booksDifferences'),
    replicas: gauge('replicas'),
    replicasDiffering: gauge('replicasDiffering'),
    storeUp: gauge('storeUp'),
    operationsInFlight: gauge('operationsInFlight'),
    operationsRefused: counter('operationsRefused'),
    authenticationFailures: counter('authenticationFailures'),
    callersLimited: counter('callersLimited'),
    retriesRefused: counter('retriesRefused'),
    budgetReserved: gauge('budgetReserved'),
    streamSubscribers: gauge('streamSubscribers'),
    eventsDropped: counter('eventsDropped'),
    logQueue: gauge('logQueue'),
    logRowsDropped: counter('logRowsDropped'),
    spansDropped: counter('spansDropped'),
    configStale: gauge('configStale'),
  };
}

function makeTake(registry: Registry): Take {
  const takes = new Map(METER_NAMES.map((name) => [name, makeInstrument(METER_TABLE[name], registry)]));
  return (name, value, ...labels) => takes.get(name)?.(value, labels);
}

function makeInstrument(row: MeterRow, registry: Registry): (value: number, labels: readonly string[]) => void {
  const labelNames = row.labels.map(exposedLabelOf);
  const named = { name: exposedNameOf(row), help: row.help, labelNames, registers: [registry] };
  switch (row.kind) {
    case 'counter': {
      const made = new Counter(named);
      return (value, labels) => made.inc(labelled(labelNames, labels), value);
    }
    case 'gauge': {
      const made = new Gauge(named);
      return (value, labels) => made.set(labelled(labelNames, labels), value);
    }
    case 'histogram': {
      const made = new Histogram({ ...named, buckets: [...row.buckets] });
      return (value, labels) => made.observe(labelled(labelNames, labels), value);
    }
    default:
      return row.kind satisfies never;
  }
}

function labelled(names: readonly string[], values: readonly string[]): Record<string, string> {
  const labels: Record<string, string> = {};
  // By index: an iterator would cost as much as the rest of it, at every call.
  for (let index = 0; index < names.length; index += 1) {
    const name = names[index];
    const value = values[index];
    if (name !== undefined && value !== undefined && value !== '') labels[name] = value;
  }
  return labels;
}
