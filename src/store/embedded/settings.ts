/** `kept`: every commit is on disk. `none`: for tests; a crash of the machine may ruin the folder. */
export type Durability = 'kept' | 'none';

export const SUPERUSER = 'switchyard';
export const DATABASE = 'postgres';
export const LOOPBACK = '127.0.0.1';

/** Kept in the data folder: elsewhere it would stay behind when processes are killed, and containers give it only 64 MB. */
export const SHARED_MEMORY = { dynamic_shared_memory_type: 'mmap' } as const;

/** Settings that hold whatever the durability. They are given on the command line, so that no file has to be edited. */
const ALWAYS = {
  ...SHARED_MEMORY,
  listen_addresses: LOOPBACK,
  unix_socket_directories: '',
  max_connections: '100',
  shared_buffers: '64MB',
  max_wal_size: '256MB',
  huge_pages: 'off',
  // The data of one gateway fit in memory: readers of their own would only be three more processes.
  io_method: 'sync',
  // Parallel plans would write their shared memory to the disk.
  max_parallel_workers_per_gather: '0',
  // Nobody replicates a server that lives and dies with one process.
  max_logical_replication_workers: '0',
  timezone: 'UTC',
  log_timezone: 'UTC',
  lc_messages: 'C',
  log_checkpoints: 'off',
  log_line_prefix: '%m [%p] ',
} as const;

const BY_DURABILITY = {
  kept: { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' },
  none: {
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    wal_level: 'minimal',
    max_wal_senders: '0',
  },
} as const satisfies Record<Durability, Record<string, string>>;

/** The argument by which we know our own server among all processes. PostgreSQL itself does not read the setting. */
export function folderMark(folder: string): string {
  return `switchyard.folder=${folder}`;
}

export function serverArguments(server: {
  readonly folder: string;
  readonly folderAsSeen: string;
  readonly port: number;
  readonly durability: Durability;
}): readonly string[] {
  const settings = { ...ALWAYS, ...BY_DURABILITY[server.durability], port: String(server.port) };
  return ['-D', server.folderAsSeen, '-c', folderMark(server.folder), ...settingArguments(settings)];
}

/** As both initdb and the server take them. */
export function settingArguments(settings: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}
