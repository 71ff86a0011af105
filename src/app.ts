import type { Config } from './config.ts';
import { holdId, type ProviderKey, replicaId, requestId } from './core/ids.ts';
import type { Registry } from './core/registry.ts';
import { StoreUnavailable } from './core/unavailable.ts';
import type { GatewayInfo, ReplicaInfo } from './gateway/gateway.ts';
import { makeGateway } from './gateway/make-gateway.ts';
import { makePaceBook } from './gateway/pace-book.ts';
import { makeRetryBook } from './gateway/retry-book.ts';
import type { PersistedDocuments } from './graphql/persisted-documents.ts';
import type { Page } from './http/page.ts';
import { type HttpServer, type HttpServerDeps, makeHttpServer } from './http/server.ts';
import type { Chance, Clock } from './ports/clock.ts';
import type { Log } from './ports/log.ts';
import type { Meters } from './ports/meters.ts';
import type { Store } from './ports/store.ts';
import { pause } from './providers/pause.ts';
import { makeSimulator } from './providers/simulator.ts';
import type { Endpoint } from './registry/endpoints.ts';
import { genAiNameOf } from './telemetry/gen-ai-name.ts';
import { type MeterBook, makeMeters } from './telemetry/meters.ts';
import { openTelemetry } from './telemetry/open-telemetry.ts';
import { openStore, type StoreOpened } from './wiring/open-store.ts';
import type { Setup } from './wiring/read-setup.ts';
import { type Reloader, startReloader } from './wiring/reloader.ts';
import { makeSeal } from './wiring/seal.ts';
import { openSetup, type SetupInForce } from './wiring/setup-in-force.ts';
import type { SetupSource } from './wiring/setup-source.ts';
import { randomBytes, sha256 } from './wiring/system.ts';
import { version } from './wiring/version.ts';
import { watchFiles } from './wiring/watch-files.ts';

/** Everything the service is made of that comes from outside. */
export interface AppParts {
  readonly config: Config;
  /** As the file says it; mocks are put in here. */
  readonly registry: Registry;
  readonly endpoints: readonly Endpoint[];
  readonly persisted: PersistedDocuments;
  /** Where all that comes from, to be read again when it changes. Null: nothing is. */
  readonly source: SetupSource | null;
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
  /** As they were at the start. */
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
  /** Reads again what is set, soon, and puts it in force if it is right. Tells the log what came of it. */
  reload(): void;
}

export type AppStart =
  | { readonly kind: 'running'; readonly app: App }
  | { readonly kind: 'failed'; readonly message: string };

/** Wires the service and starts it. */
export async function startApp(parts: AppParts): Promise<AppStart> {
  const { config, log, clock, note } = parts;
  const replica = replicaId(parts.newUuid());
  await using stack = new AsyncDisposableStack();
  const inForce = stack.use(await openSetup(parts, parts));
  const { configurations } = inForce;
  const { registry } = configurations.now();
  const nameOf = (key: ProviderKey) => genAiNameOf(configurations.now().registry, key);
  const meters = makeMeters(nameOf);
  const opened = await openStore(config.store, { registry, replica, clock, log, meters, note });
  if (opened.kind === 'failed') return opened;
  stack.defer(opened.close);
  const { journal } = opened;
  meters.beforeReading(() => meters.logQueue.set(journal?.count() ?? 0));
  // Closed after the gateway: what it still tells on its way out is sent.
  const targets = config.telemetry;
  const traces = stack.use(await openTelemetry({ targets, meters, log, clock, replica, version, nameOf }));
  const { store } = opened;
  const gateway = stack.use(
    makeGateway({
      configurations,
      info: infoOf(parts, { replica, storeKind: store.kind }),
      store,
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
  const server = makeServer(parts, { gateway, inForce, opened, meters, traces });
  const listening = await server.listen();
  if (listening.kind !== 'listening') return { kind: 'failed', message: listening.message };
  const reloader = stack.use(startReloading({ ...parts, inForce, store, meters }));
  const kept = stack.move();
  const stop = makeStop({ server, clock, reloader, close: () => kept.disposeAsync() });
  const { info } = gateway;
  return {
    kind: 'running',
    app: { port: listening.port, registry, info, store: opened, reload: reloader.reload, ...stop },
  };
}

/** The doors, as they are set. */
function makeServer(
  parts: AppParts,
  of: Pick<HttpServerDeps, 'gateway' | 'traces'> & {
    readonly inForce: SetupInForce;
    readonly opened: Extract<StoreOpened, { kind: 'opened' }>;
    readonly meters: MeterBook;
  },
): HttpServer {
  const { config, log, clock, page } = parts;
  const { gateway, inForce, opened, meters, traces } = of;
  return makeHttpServer({
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
    persisted: inForce.persisted,
    page,
    newId: () => requestId(parts.newUuid()),
    readiness: () => readinessOf(opened),
    metrics: meters,
    traces,
    meters,
  });
}

/** Reads again what is set when one of its files changes, or when it is asked to. */
function startReloading(
  of: AppParts & { readonly inForce: SetupInForce; readonly store: Store; readonly meters: Meters },
): Reloader {
  const { source, inForce, store } = of;
  if (source === null) return { reload: () => undefined, [Symbol.asyncDispose]: async () => undefined };
  const { configurations } = inForce;
  const adopt = (setup: Setup) => inForce.adopt(setup, store);
  const reloader = startReloader({ ...of, setup: of, source, configurations, adopt });
  const files = watchFiles({ ...of, files: source.files(), onChange: reloader.reload });
  return {
    reload: reloader.reload,
    async [Symbol.asyncDispose]() {
      await Promise.all([files[Symbol.asyncDispose](), reloader[Symbol.asyncDispose]()]);
    },
  };
}

function infoOf({ config, clock }: AppParts, of: Pick<ReplicaInfo, 'replica' | 'storeKind'>): ReplicaInfo {
  return { ...of, version, startedAtMs: clock.now(), contentKeptDays: config.contentKeptDays };
}

function makeStop(of: {
  readonly server: HttpServer;
  readonly clock: Clock;
  readonly reloader: Reloader;
  readonly close: () => Promise<void>;
}): Pick<App, 'stop' | 'hurry'> {
  const { server, clock, reloader, close } = of;
  let step = new AbortController();
  return {
    async stop({ waitMs, graceMs }) {
      server.leave();
      // Whatever is written from now on is for the next start. It ends beside the wait, and before what it uses.
      const reloaded = reloader[Symbol.asyncDispose]();
      await pause({ clock, ms: waitMs, signal: step.signal });
      step = new AbortController();
      await server.drain(graceMs, step.signal);
      await reloaded;
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
