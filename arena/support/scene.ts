import { join } from 'node:path';
import { type Client, type Exchange, makeClient, type Wish } from './client.ts';
import { type ClientLog, openClientLog } from './client-log.ts';
import type { Context } from './experiment.ts';
import type { ArenaDatabase, PostgresServer } from './postgres.ts';
import { type FaultProxy, openProxy } from './proxy.ts';
import type { Witnesses } from './reconcile.ts';
import { type ArenaProvider, KEY_VARIABLE, writeRegistry } from './registry.ts';
import { makeReplica, type Replica } from './replica.ts';
import { startUpstream, type Upstream } from './upstream/simulator.ts';

/** Replicas on one database, their upstreams, and a client: what most experiments take place in. */
export interface Scene extends AsyncDisposable {
  readonly server: PostgresServer;
  readonly database: ArenaDatabase;
  /** The way from the replicas to PostgreSQL. Null when it is direct. */
  readonly proxy: FaultProxy | null;
  readonly upstream: Upstream;
  readonly replicas: readonly Replica[];
  readonly client: Client;
  readonly log: ClientLog;
  /** Sends a chat and keeps what came of it in the client log. */
  chat(url: string, wish: Wish): Promise<Exchange>;
  /** Bill, client log and tables, as they are now. */
  witnesses(): Witnesses;
}

export interface SceneOrder {
  readonly replicas: number;
  readonly providers: readonly ArenaProvider[];
  /** Whose server. Default: the one that nobody stops. */
  readonly postgres?: PostgresServer;
  /** Whether the replicas reach PostgreSQL through a proxy that can be broken. */
  readonly isProxied?: boolean;
  /** More settings for all replicas. */
  readonly env?: Readonly<Record<string, string>>;
  /** What differs for one of them, by its place. */
  readonly nodeArguments?: (place: number) => readonly string[];
  /** Runs on the database before any replica starts. */
  readonly prepare?: (database: ArenaDatabase) => Promise<void>;
}

/** Where no time is claimed a crowded machine must not look like an outage. */
const PATIENT_STORE_MS = '5000';

/** What every user may spend in the arena unless an experiment says otherwise. */
export const DEFAULT_CAP = 1_000_000_000_000n;

export async function openScene(context: Context, order: SceneOrder): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const { scratch } = context;
  const folder = await scratch.makeFolder('scene');
  const server = order.postgres ?? (await context.sharedPostgres());
  const database = await server.makeDatabase();
  await order.prepare?.(database);
  const proxy = order.isProxied === true ? stack.use(await openProxy(() => server.port)) : null;
  const upstream = stack.use(await startUpstream({ providers: order.providers, billPath: join(folder, 'bill.jsonl') }));
  const registry = join(folder, 'registry.json');
  await writeRegistry({ path: registry, port: upstream.port, providers: order.providers });
  const replicas: Replica[] = [];
  for (let place = 0; place < order.replicas; place += 1) {
    const replica = makeReplica({
      name: `replica ${place + 1}`,
      folder: await scratch.makeFolder(`replica-${place + 1}`),
      keeper: scratch.keeper,
      env: {
        DATABASE_URL: database.urlVia(proxy?.port),
        SWITCHYARD_CONFIG: registry,
        [KEY_VARIABLE]: 'arena-key',
        LOG_LEVEL: 'warn',
        STORE_TIMEOUT_MS: PATIENT_STORE_MS,
        ...order.env,
      },
      nodeArguments: [...mutantArguments(context), ...(order.nodeArguments?.(place) ?? [])],
      onDeath: context.mishap,
    });
    replicas.push(stack.use(replica));
  }
  await Promise.all(replicas.map((replica) => replica.start()));
  await Promise.all(replicas.map((replica) => replica.whenReady()));
  const client = stack.use(makeClient());
  const log = stack.use(openClientLog(join(folder, 'clients.jsonl')));
  const kept = stack.move();
  return {
    server,
    database,
    proxy,
    upstream,
    replicas,
    client,
    log,
    async chat(url, wish) {
      log.begin(wish);
      const exchange = await client.chat(url, wish);
      log.add(exchange);
      return exchange;
    },
    witnesses: () => ({ bill: upstream.bill.read(), log, sql: database.sql, defaultCap: DEFAULT_CAP }),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

const MUTANT = new URL('../preload/mutant.ts', import.meta.url);

function mutantArguments({ brokenPiece }: Context): readonly string[] {
  return brokenPiece === null ? [] : ['--import', `${MUTANT.href}?${new URLSearchParams({ ...brokenPiece })}`];
}

/** The replica whose turn it is. */
export function replicaAt(scene: Pick<Scene, 'replicas'>, turn: number): Replica {
  const replica = scene.replicas[turn % scene.replicas.length];
  if (replica === undefined) throw new RangeError('a scene without replicas');
  return replica;
}
