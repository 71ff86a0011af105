import { replicasOf } from '../core/fleet.ts';
import type { GatewayInfo } from '../gateway/gateway.ts';
import { builder } from './builder.ts';

const StoreKindEnum = builder.enumType('StoreKind', {
  description: 'Where state is kept.',
  values: {
    POSTGRES: { value: 'postgres', description: 'PostgreSQL: durable and shared by all replicas.' },
    EMBEDDED: {
      value: 'embedded',
      description: 'PostgreSQL started by this process, kept in a folder: durable, for one replica.',
    },
    MEMORY: { value: 'memory', description: 'Memory of one process: lost on restart.' },
  },
});

const StoreModeEnum = builder.enumType('StoreMode', {
  description: 'What becomes of requests, as far as it depends on the store.',
  values: {
    NORMAL: { value: 'normal', description: 'The store answers.' },
    REFUSING: { value: 'refusing', description: 'The store is away: what needs it is refused, and nothing is lost.' },
    SLICES: {
      value: 'slices',
      description:
        'The store is away: accounts that were active go on for a while, within money that was reserved for them before.',
    },
  },
});

const GatewayRef = builder.objectRef<GatewayInfo>('Gateway').implement({
  description: 'This gateway.',
  fields: (t) => ({
    version: t.exposeString('version', { description: 'Version of the software.' }),
    store: t.expose('storeKind', { type: StoreKindEnum, description: 'Where state is kept.' }),
    storeMode: t.field({
      type: StoreModeEnum,
      description: 'How this replica works now, as far as it depends on the store.',
      resolve: (_info, _args, { gateway }) => gateway.storeMode().kind,
    }),
    replicaId: t.exposeString('replica', { description: 'The replica that answered.' }),
    replicas: t.int({
      description: 'Replicas seen in the last minute.',
      resolve: (_info, _args, { gateway }) => replicasOf(gateway.fleet()),
    }),
    startedAt: t.expose('startedAtMs', { type: 'DateTime', description: 'When this replica started.' }),
    configHash: t.exposeString('configHash', {
      description: 'Hash of the configuration in force; equal on all replicas when they agree.',
    }),
    configStale: t.boolean({
      description:
        'Whether the configuration that was written last is not in force on this replica, because it has faults or waits for the store. Its log and `/readyz?verbose` say why.',
      resolve: (_info, _args, { gateway }) => gateway.configFault() !== null,
    }),
    simulationsEnabled: t.exposeBoolean('areSimulationsEnabled', { description: 'Whether failures may be simulated.' }),
    contentRecording: t.boolean({
      description: 'Whether prompts and answers are recorded.',
      resolve: ({ contentKeptDays }) => contentKeptDays !== null,
    }),
  }),
});

builder.queryField('gateway', (t) =>
  t.field({
    type: GatewayRef,
    description: 'This gateway: version, store, replicas, switched-on features.',
    extensions: { access: 'any key' },
    resolve: (_root, _args, { gateway }) => gateway.info,
  }),
);
