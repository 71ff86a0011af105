import { createHash } from 'node:crypto';
import type { Config } from './config.ts';
import { holdId, type ProviderKey, replicaId, requestId } from './core/ids.ts';
import type { Registry } from './core/registry.ts';
import { StoreUnavailable } from './core/unavailable.ts';
import type { GatewayInfo } from './gateway/gateway.ts';
import { makeGateway } from './gateway/make-gateway.ts';
import { makePaceBook } from './gateway/pace-book.ts';
import { makeRetryBook } from './gateway/retry-book.ts';
import type { PersistedDocuments } from './graphql/persisted-documents.ts';
import type { Page } from './http/page.ts';
import { type HttpServer, makeHttpServer } from './http/server.ts';
import type { Chance, Clock } from './ports/clock.ts';
import type { Log } from './ports/log.ts';
import type { Store } from './ports/store.ts';
import { pause } from './providers/pause.ts';
import { makeSimulator } from './providers/simulator.ts';
import type { Endpoint } from './registry/endpoints.ts';
import { registryInForce } from './registry/in-force.ts';
import { genAiNameOf } from './telemetry/gen-ai-name.ts';
import { makeMeters } from './telemetry/meters.ts';
import { openTelemetry } from './telemetry/open-telemetry.ts';
import { makeProviders } from './wiring/make-providers.ts';
import { openStore, type StoreOpened } from './wiring/open-store.ts';
import { makeSeal } from './wiring/seal.ts';
import { randomBytes, sha256 } from './wiring/system.ts';
import { version } from './wiring/version.ts';

/** Everything the service is made of that comes from outside. */
export interface AppParts {
  readonly config: Config;
  /** As the file says it; mocks are put in here. */
  readonly registry: Registry;
  readonly endpoints: readonly Endpoint[];
  readonly persisted: PersistedDocuments;
  /** Null: the control room is not built. */
  readonly page: Page | null;
  readonly log: Log;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly newUuid: () => string;
  /** Told what takes time and what people must know. */
  readonly note: (message: string) => void;
}

/** A service that runs. */
export interface App {
  readonly port: number;
  readonly registry: Registry;
  readonly info: GatewayInfo;
  readonly store: Extract<StoreOpened, { kind: 'opened' }>;
  /**
   * Says at once that it is not ready, serves on for `waitMs`, then refuses what is new, finishes what runs, and closes everything
   * in the order in which it depends on each other.
   */
  stop(of: { readonly waitMs: number; readonly graceMs: number }): Promise<void>;
  /** Ends the step of the stop that is under way: the wait, or the time that what runs has to finish. */
  hurry(): void;
}

export type AppStart =
  | { readonly kind: 'running'; readonly app: App }
  | { readonly kind: 'failed'; readonly message: string };

/** Wires the service and starts it. */
export async function startApp(parts: AppParts): Promise<AppStart> {
  const { config, log, clock, note } = parts;
  const registry = registryInForce(parts.registry, parts.endpoints);
  const replica = replicaId(parts.newUuid());
  const nameOf = (key: ProviderKey) => genAiNameOf(registry, key);
  const meters = makeMeters(nameOf);
  const opened = await openStore(config.store, { registry, replica, clock, log, meters, note });
  if (opened.kind === 'failed') return opened;
  await using stack = new AsyncDisposableStack();
  stack.defer(opened.close);
  const { journal } = opened;
  meters.beforeReading(() => meters.logQueue.set(journal?.count() ?? 0));
  // Closed after the gateway: what it still tells on its way out is sent.
  const targets = config.telemetry;
  const traces = stack.use(await openTelemetry({ targets, meters, log, clock, replica, version, nameOf }));
  const { store } = opened;
  const info = infoOf(parts, { registry, replica, storeKind: store.kind });
  const providers = stack.use(await makeProviders({ ...parts, registry }));
  const gateway = stack.use(
    makeGateway({
      registry,
      info,
      store,
      providers: providers.ports,
      simulator: makeSimulator(clock),
      clock,
      chance: parts.chance,
      newHoldId: () => holdId(parts.newUuid()),
      digest: sha256,
      randomBytes,
      adminKeyHash: config.adminKey === null ? null : sha256(config.adminKey),
      makeSeal,
      log,
      meters,
      paces: makePaceBook(),
      retries: makeRetryBook(clock),
      budgetDefault: config.budgetDefault,
      logRetentionDays: config.logRetentionDays,
    }),
  );
  const server = makeHttpServer({
    gateway,
    log,
    clock,
    host: config.host,
    port: config.port,
    inFlightMax: config.inFlightMax,
    auth: config.auth,
    isGraphiqlOn: config.isGraphiqlOn,
    allowedOrigins: config.allowedOrigins,
    socketsPerKey: config.socketsPerKey,
    page: parts.page,
    persisted: parts.persisted,
    newId: () => requestId(parts.newUuid()),
    readiness: () => readinessOf(opened),
    metrics: meters,
    traces,
    meters,
  });
  const listening = await server.listen();
  if (listening.kind !== 'listening') return { kind: 'failed', message: listening.message };
  const kept = stack.move();
  const stop = makeStop({ server, clock, close: () => kept.disposeAsync() });
  return { kind: 'running', app: { port: listening.port, registry, info, store: opened, ...stop } };
}

function infoOf(
  { config, clock, endpoints }: AppParts,
  of: Pick<GatewayInfo, 'replica' | 'storeKind'> & { readonly registry: Registry },
): GatewayInfo {
  const { registry, replica, storeKind } = of;
  const { contentKeptDays } = config;
  return {
    version,
    storeKind,
    replica,
    startedAtMs: clock.now(),
    configHash: hashOf({ registry, budgetDefault: config.budgetDefault.toString(), contentKeptDays }),
    contentKeptDays,
    areSimulationsEnabled: areSimulationsEnabled(config, endpoints),
  };
}

function makeStop(of: {
  readonly server: HttpServer;
  readonly clock: Clock;
  readonly close: () => Promise<void>;
}): Pick<App, 'stop' | 'hurry'> {
  const { server, clock, close } = of;
  let step = new AbortController();
  return {
    async stop({ waitMs, graceMs }) {
      server.leave();
      await pause({ clock, ms: waitMs, signal: step.signal });
      step = new AbortController();
      await server.drain(graceMs, step.signal);
      await close();
    },
    hurry: () => step.abort(),
  };
}

async function readinessOf({ store, journal }: Extract<StoreOpened, { kind: 'opened' }>) {
  const checks = [await storeCheck(store)];
  if (journal !== null) {
    const fault = journal.fault();
    const detail = fault ?? `${journal.count()} entries wait in ${journal.path}`;
    checks.push({ name: 'journal', isOk: fault === null, detail });
  }
  return { isReady: checks.every(({ isOk }) => isOk), checks };
}

async function storeCheck(store: Store) {
  try {
    await store.ping();
    return { name: 'store', isOk: true, detail: store.kind };
  } catch (error) {
    const reason = error instanceof StoreUnavailable ? error.reason : String(error);
    const mode = store.mode();
    // Not ready all the same: other accounts are refused here, and another replica may reach the store.
    const detail =
      mode.kind === 'slices' ? `${reason}; accounts that go on from their slices: ${mode.accounts}` : reason;
    return { name: 'store', isOk: false, detail };
  }
}

/** Faults are only injected by themselves where no real provider, and so no real money, is behind. */
function areSimulationsEnabled(config: Config, endpoints: readonly Endpoint[]): boolean {
  return config.simulations === 'auto'
    ? endpoints.every((endpoint) => endpoint.kind === 'mock')
    : config.simulations === 'on';
}

function hashOf(settings: unknown): string {
  return createHash('sha256').update(JSON.stringify(settings)).digest('hex').slice(0, 12);
}
