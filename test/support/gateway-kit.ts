import { holdId, type ProviderKey, replicaId, requestId } from '../../src/core/ids.ts';
import { type PicoUsd, parseUsd, picoUsd } from '../../src/core/money.ts';
import type { ChatOutcome } from '../../src/core/outcome.ts';
import type { RawChat } from '../../src/core/raw-chat.ts';
import type { Registry } from '../../src/core/registry.ts';
import { OPEN_CALLER } from '../../src/gateway/caller.ts';
import { makeConfigurations } from '../../src/gateway/configuration.ts';
import type { ChatDeps } from '../../src/gateway/deps.ts';
import type { ChatCall, Gateway } from '../../src/gateway/gateway.ts';
import { makeHeldBook } from '../../src/gateway/held-book.ts';
import { makeLimitDesk } from '../../src/gateway/limit-desk.ts';
import { makeLiveChats } from '../../src/gateway/live-chats.ts';
import { makeGateway } from '../../src/gateway/make-gateway.ts';
import { makePaceBook } from '../../src/gateway/pace-book.ts';
import { makeRetryBook } from '../../src/gateway/retry-book.ts';
import { makeWaitingBook } from '../../src/gateway/waiting.ts';
import type { ProviderPort } from '../../src/ports/provider.ts';
import type { Store } from '../../src/ports/store.ts';
import { makeSimulator } from '../../src/providers/simulator.ts';
import { makeMemoryStore } from '../../src/store/memory/store.ts';
import { NO_SPAN } from '../../src/telemetry/no-traces.ts';
import { makeSeal } from '../../src/wiring/seal.ts';
import { newUuid, randomBytes, sha256 } from '../../src/wiring/system.ts';
import { type FakeClock, makeFakeClock } from '../fakes/clock.ts';
import { makeConfiguration } from '../fakes/configuration.ts';
import { SILENT_LOG } from '../fakes/log.ts';
import { type FakeMeters, makeFakeMeters } from '../fakes/meters.ts';
import { makeScriptedProvider, type ScriptedProvider } from '../fakes/provider.ts';

/** A whole gateway on fakes: scripted providers, a clock that tests move, and a real store. */
export interface GatewayKit extends AsyncDisposable {
  readonly gateway: Gateway;
  readonly deps: ChatDeps;
  readonly store: Store;
  readonly clock: FakeClock;
  readonly meters: FakeMeters;
  readonly provider: (key: string) => ScriptedProvider;
  readonly callOf: (raw: RawChat) => ChatCall;
  /** Sends one chat as a door would, and expects that it runs: no other may have its idempotency key. */
  readonly chat: (raw: RawChat, signal?: AbortSignal) => Promise<ChatOutcome>;
  /** The same with a key that others may have. */
  readonly send: (raw: RawChat, signal?: AbortSignal) => ReturnType<Gateway['chat']>;
  readonly preview: (raw: RawChat) => ReturnType<Gateway['preview']>;
}

export interface KitOptions {
  readonly registry: Registry;
  /** Default: a memory store on the kit's clock. */
  readonly store?: Store;
  readonly budgetDefault?: PicoUsd;
  readonly areSimulationsEnabled?: boolean;
  /** Default: one that nobody else has. */
  readonly clock?: FakeClock;
  /** The operator's own key. Default: none. */
  readonly adminKey?: string;
  /** Default: nothing of prompts and answers is kept. */
  readonly contentKeptDays?: number;
  /** Default: never by chance. */
  readonly chance?: () => number;
  /** Default: scripted ones that answer. */
  readonly providers?: ReadonlyMap<ProviderKey, ProviderPort>;
}

export const REPLICA = replicaId('replica-test');

export function usd(text: string): PicoUsd {
  const value = parseUsd(text);
  if (value === null) throw new RangeError(`no amount: ${text}`);
  return value;
}

export function makeGatewayKit(options: KitOptions): GatewayKit {
  const { registry } = options;
  const clock = options.clock ?? makeFakeClock();
  const meters = makeFakeMeters();
  const store = options.store ?? makeMemoryStore({ registry, now: clock.now, replica: REPLICA });
  const scripted = new Map(registry.providers.map(({ key }) => [key, makeScriptedProvider(key)]));
  const configuration = makeConfiguration({
    registry,
    providers: options.providers ?? scripted,
    areSimulationsEnabled: options.areSimulationsEnabled ?? true,
  });
  const deps: ChatDeps = {
    ...configuration,
    configurations: makeConfigurations(configuration, { log: SILENT_LOG }),
    info: {
      version: '0.0.0',
      storeKind: store.kind,
      replica: REPLICA,
      startedAtMs: clock.now(),
      contentKeptDays: options.contentKeptDays ?? null,
    },
    store,
    simulator: makeSimulator(clock),
    clock,
    chance: { next: options.chance ?? (() => 0.5) },
    newHoldId: () => holdId(newUuid()),
    digest: sha256,
    randomBytes,
    adminKeyHash: options.adminKey === undefined ? null : sha256(options.adminKey),
    makeSeal,
    log: SILENT_LOG,
    meters,
    paces: makePaceBook(),
    retries: makeRetryBook(clock),
    // For tests that run a part alone; a gateway brings its own.
    leases: { keep: () => ({ [Symbol.dispose]: () => undefined }), [Symbol.asyncDispose]: async () => undefined },
    held: makeHeldBook(meters),
    live: makeLiveChats(),
    limits: makeLimitDesk({ store, clock, log: SILENT_LOG }),
    waiting: makeWaitingBook({ store, log: SILENT_LOG }),
    watchedBudgets: { touch: () => undefined, noteEnd: () => undefined },
    content: {
      keep: () => undefined,
      find: async () => null,
      [Symbol.asyncDispose]: async () => undefined,
    },
    logRetentionDays: 90,
    budgetDefault: options.budgetDefault ?? picoUsd(10n ** 12n),
  };
  const gateway = makeGateway(deps);
  const callOf = (raw: RawChat, signal = new AbortController().signal): ChatCall => {
    const parsed = gateway.parseChat(raw);
    if (parsed.kind !== 'valid') throw new RangeError(parsed.message);
    const { request } = parsed;
    return {
      requestId: requestId(newUuid()),
      request,
      caller: OPEN_CALLER,
      door: 'graphql',
      signal,
      onDelta: null,
      span: NO_SPAN,
    };
  };
  return {
    gateway,
    deps,
    callOf,
    store,
    clock,
    meters,
    provider(key) {
      const provider = scripted.values().find((known) => known.key === key);
      if (provider === undefined) throw new RangeError(`no scripted provider ${key}`);
      return provider;
    },
    async chat(raw, signal) {
      const outcome = await gateway.chat(callOf(raw, signal));
      if (outcome.kind === 'notRun') throw new RangeError(outcome.why.message);
      return outcome;
    },
    send: (raw, signal) => gateway.chat(callOf(raw, signal)),
    preview: (raw) => gateway.preview(callOf(raw)),
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}

/** Lets everything run that needs no time to pass. */
export async function quiet(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
