import { makeBreaker, type Transition } from '../../src/core/breaker.ts';
import type { Fleet } from '../../src/core/fleet.ts';
import { bareKey, type ProviderKey, providerKey, type RequestId, replicaId } from '../../src/core/ids.ts';
import type { ChatOutcome, NotRun } from '../../src/core/outcome.ts';
import { parseChat } from '../../src/core/parse-chat.ts';
import type { ProviderState } from '../../src/core/provider-state.ts';
import { findProvider } from '../../src/core/registry.ts';
import { isMatch } from '../../src/core/request-filter.ts';
import type { RequestRecord } from '../../src/core/request-record.ts';
import { analyseRecords, statsOfProvider } from '../../src/core/tally.ts';
import { later } from '../../src/core/time.ts';
import { EVERYBODY } from '../../src/core/view.ts';
import type { BreakerNotice } from '../../src/gateway/breaker-notice.ts';
import type {
  BudgetWatch,
  BudgetWatchAnswer,
  ChatCall,
  Gateway,
  Preview,
  RequestWatch,
  RequestWatchAnswer,
  StreamCall,
  TickWatch,
  TickWatchAnswer,
} from '../../src/gateway/gateway.ts';
import type { StreamPiece } from '../../src/gateway/stream-log.ts';
import type { BreakerEvent } from '../../src/ports/breaker-events.ts';
import { type FakeClock, makeFakeClock } from './clock.ts';
import { invalidInput, notFound, pageOf, recordOf, SWITCHED_OFF } from './gateway-answers.ts';
import { makeFakeBudgets } from './gateway-budgets.ts';
import { answered, DECISION, infoAt, REGISTRY, stateOf, usd } from './gateway-data.ts';
import { type FakeKeys, makeFakeKeys } from './gateway-keys.ts';

/** A gateway that keeps everything in memory and decides nothing: its answers are what a test puts in. */
export interface FakeGateway extends Gateway, FakeKeys {
  readonly clock: FakeClock;
  /** Oldest first: one entry for each chat that really ran. */
  readonly records: RequestRecord[];
  readonly events: BreakerEvent[];
  /** How the next chats end. */
  onChat: (call: ChatCall) => ChatOutcome | NotRun | Promise<ChatOutcome>;
  onPreview: (call: ChatCall) => Preview;
  /** The events of the next streams. */
  onStream: (call: StreamCall) => AsyncIterable<StreamPiece> | Iterable<StreamPiece>;
  /** What whoever watches requests is told. */
  onWatchRequests: (watch: RequestWatch) => RequestWatchAnswer;
  /** What those who watch ticks and budgets are told. */
  onTicks: (watch: TickWatch) => TickWatchAnswer;
  onBudgets: (watch: BudgetWatch) => BudgetWatchAnswer;
  /** Runs before each survey; throws to play a bug. */
  onSurvey: () => void;
  /** The replicas that it sees with its own configuration, and with others. */
  replicas: number;
  otherConfigs: Fleet;
  /** What is wrong with the configuration that was written last. Null: nothing is. */
  fault: string | null;
  /** True: recording fails, as with a database that went away. */
  isLogLost: boolean;
  /** Thrown when the log is read. Null: nothing is. */
  logFault: Error | null;
  /** Other callers' requests that are recorded each time somebody has read the log. */
  arrivals: RequestRecord[];
  setState(provider: string, change: Partial<ProviderState>): void;
  /** Records a change of a breaker and tells everybody who watches. */
  change(provider: string, transition: Partial<Transition>): BreakerEvent;
  /** Plays a bug: whatever watches breakers breaks off with this error. */
  breakWatchers(error: Error): void;
  watcherCount(): number;
}

const WATCHERS_MAX = 3;

export function makeFakeGateway(): FakeGateway {
  const clock = makeFakeClock();
  const states = new Map<string, ProviderState>(REGISTRY.providers.map(({ key }) => [key, stateOf(key, clock.now())]));
  const watchers = new Set<(event: BreakerEvent | Error) => void>();
  const keyOf = (name: string) => findProvider(REGISTRY, bareKey(name))?.key ?? null;
  const change = (key: ProviderKey, next: Partial<ProviderState>) => states.set(key, { ...states.get(key)!, ...next });

  const recorded = (id: RequestId) => gateway.records.find((record) => record.id === id) ?? null;

  const gateway: FakeGateway = {
    registry: REGISTRY,
    info: infoAt(clock.now()),
    clock,
    records: [],
    rateLimitOf: async () => null,
    limitsSeen: () => null,
    events: [],
    arrivals: [],
    replicas: 1,
    otherConfigs: [],
    fault: null,
    isLogLost: false,
    logFault: null,
    onChat: (call) => answered(call, clock.now()),
    onStream: () => [],
    onWatchRequests: () => ({ kind: 'watching', notices: (async function* none() {})() }),
    onPreview: () => ({
      decision: { ...DECISION, attempts: [] },
      selected: DECISION.candidates[0]!,
      blockedBy: null,
      estimatedInputTokens: 12,
      reservation: usd('0.05'),
    }),
    onTicks: () => ({ kind: 'tooManyWatchers', message: 'nobody may watch' }),
    onBudgets: () => ({ kind: 'tooManyWatchers', message: 'nobody may watch' }),
    onSurvey: () => {},
    setState: (provider, next) => change(providerKey(provider), next),
    watcherCount: () => watchers.size,
    breakWatchers(error) {
      for (const tell of watchers) tell(error);
    },
    change(provider, transition) {
      const key = providerKey(provider);
      const epoch = states.get(key)!.breaker.epoch + 1;
      const event: BreakerEvent = {
        sequence: gateway.events.length + 1,
        provider: key,
        occurredAtMs: clock.now(),
        replica: replicaId('replica-2'),
        transition: {
          from: 'closed',
          to: 'open',
          cause: 'failureThreshold',
          epoch,
          fails: 3,
          reopensAtMs: later(clock.now(), 60_000),
          detail: null,
          ...transition,
        },
      };
      gateway.events.push(event);
      change(key, { breaker: { ...states.get(key)!.breaker, epoch } });
      for (const tell of watchers) tell(event);
      return event;
    },

    ...makeFakeKeys(clock),
    configFault: () => gateway.fault,
    fleet: () => [{ configHash: gateway.info.configHash, replicas: gateway.replicas }, ...gateway.otherConfigs],
    now: () => clock.now(),
    storeMode: () => ({ kind: 'normal' }),
    parseChat(raw) {
      const parsed = parseChat(raw, REGISTRY);
      return parsed.kind === 'valid' ? parsed : invalidInput(parsed.issues);
    },
    async chat(call) {
      const outcome = await gateway.onChat(call);
      const isRun = outcome.kind !== 'notRun' && outcome.requestId === call.requestId;
      if (isRun && !gateway.isLogLost) gateway.records.push(recordOf(call, outcome, clock.now()));
      return outcome;
    },
    async *stream(call) {
      yield* gateway.onStream(call);
    },
    unreadStreams: () => ({ count: 0, whenEnded: async () => {} }),
    preview: async (call) => gateway.onPreview(call),
    async surveyProviders() {
      gateway.onSurvey();
      const providers = [...states.values()].map((state) => ({ state, slotsUsed: 7 }));
      return { nowMs: clock.now(), providers };
    },
    statsOf: async (provider, window) => statsOfProvider(gateway.records, { provider, window, view: EVERYBODY }),
    async breakerHistory(provider, page) {
      const found = gateway.events.filter((event) => event.provider === provider).toReversed();
      return pageOf(found, page, (event) => `seq-${event.sequence}`);
    },
    findBreakerEvent: async (sequence) => gateway.events[sequence - 1] ?? null,
    async watchBreakers(watch) {
      const { after } = watch;
      if (watchers.size >= WATCHERS_MAX) return { kind: 'tooManyWatchers', message: 'too many watch already' };
      if (after !== null && after > gateway.events.length)
        return { kind: 'unknownAfter', message: 'no event has that id.' };
      const isWanted = (key: string) => watch.provider === null || watch.provider === key;
      const queue: BreakerNotice[] = [];
      const replay = after === null ? [] : gateway.events.slice(after);
      if (after === null && watch.includeCurrent) {
        for (const state of states.values()) {
          if (!isWanted(state.provider)) continue;
          queue.push({ kind: 'present', state, sequence: gateway.events.length, atMs: clock.now(), dropped: 0 });
        }
      }
      let wake = () => {};
      let bug: Error | null = null;
      const tell = (event: BreakerEvent | Error) => {
        if (event instanceof Error) bug = event;
        else if (isWanted(event.provider)) queue.push({ kind: 'changed', event, dropped: 0 });
        wake();
      };
      replay.forEach(tell);
      watchers.add(tell);
      const leave = () => {
        watchers.delete(tell);
        wake();
      };
      watch.signal.addEventListener('abort', leave);
      async function* notices(): AsyncGenerator<BreakerNotice> {
        while (!watch.signal.aborted) {
          if (bug !== null) throw bug;
          yield* queue.splice(0);
          if (queue.length > 0 || watch.signal.aborted) continue;
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
      return { kind: 'watching', notices: notices() };
    },
    watchTicks: async (watch) => gateway.onTicks(watch),
    watchBudgets: async (watch) => gateway.onBudgets(watch),

    findRequest: (id) => gateway.findAnswered(id),
    async findAnswered(id) {
      if (gateway.logFault !== null) throw gateway.logFault;
      return recorded(id);
    },
    completeRequest: async ({ id }) => recorded(id),
    contentOf: async () => null,
    watchRequests: (watch) => gateway.onWatchRequests(watch),
    async cancelChat({ id }) {
      const request = recorded(id);
      return request === null ? notFound(id) : { kind: 'stopped', request };
    },
    async pageRequests({ page, filter, order }) {
      const sign = order.direction === 'ascending' ? 1 : -1;
      const found = gateway.records
        .filter((record) => isMatch(record, filter))
        .toSorted((first, second) => sign * (first.createdAtMs - second.createdAtMs));
      return pageOf(found, page, (record) => `at-${record.id}`);
    },
    async analyse(query) {
      const report = analyseRecords(gateway.records, { ...query, view: EVERYBODY }, clock.now());
      gateway.records.push(...gateway.arrivals);
      return report;
    },
    ...makeFakeBudgets(clock),
    async simulateFailure(wish) {
      const key = keyOf(wish.provider);
      if (key === null) return notFound(wish.provider);
      if (wish.rate > 1) return invalidInput([{ path: ['rate'], message: 'must be from 0 to 1' }]);
      if (wish.latencyMs === 13) return SWITCHED_OFF;
      const { mode, rate, failuresMax, latencyMs, durationMs } = wish;
      const endsAtMs = later(clock.now(), durationMs);
      change(key, { simulation: { mode, rate, failuresMax, latencyMs, endsAtMs, failuresInjected: 0 } });
      return { kind: 'simulating', provider: key };
    },
    async stopSimulation(name) {
      const key = name === null ? null : keyOf(name);
      if (name !== null && key === null) return notFound(name);
      const stopped = [...states.values()].filter(
        (state) => state.simulation !== null && (key ?? state.provider) === state.provider,
      );
      for (const state of stopped) change(state.provider, { simulation: null });
      return { kind: 'stopped', providers: stopped.map((state) => state.provider) };
    },
    async resetBreaker(name, reason) {
      const key = keyOf(name);
      if (key === null) return notFound(name);
      if (states.get(key)!.breaker.circuit.kind === 'closed') return { kind: 'reset', provider: key, event: null };
      change(key, { breaker: makeBreaker(clock.now()) });
      const event = gateway.change(key, {
        from: 'open',
        to: 'closed',
        cause: 'manualReset',
        fails: 0,
        detail: reason,
        reopensAtMs: null,
      });
      return { kind: 'reset', provider: key, event };
    },
    async setProviderEnabled({ provider, isEnabled }) {
      const key = keyOf(provider);
      if (key === null) return notFound(provider);
      change(key, { isEnabled });
      return { kind: 'set', provider: key };
    },
  };
  return gateway;
}
