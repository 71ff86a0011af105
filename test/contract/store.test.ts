import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { replicaId } from '../../src/core/ids.ts';
import { epochMs } from '../../src/core/time.ts';
import type { Store } from '../../src/ports/store.ts';
import { makeMemoryStore } from '../../src/store/memory/store.ts';
import { SILENT_LOG } from '../fakes/log.ts';
import { openTestStore } from '../support/open-test-store.ts';
import { makeStoreDatabase, type StoreDatabase } from '../support/store-database.ts';
import { run } from './run-command.ts';
import { SHARES } from './shares-story.ts';
import { CONTRACT_REGISTRY, type Command, commands } from './store-commands.ts';
import { STORY } from './store-story.ts';

const REPLICA = replicaId('replica-1');
const START = epochMs(Date.UTC(2026, 0, 30, 23, 59, 0));

let database: StoreDatabase;
let onPostgres: Store;

beforeAll(async () => {
  database = await makeStoreDatabase(START);
  onPostgres = await open();
});

afterAll(async () => {
  await onPostgres[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

function open(): Promise<Store> {
  return openTestStore({
    kind: 'postgres',
    url: database.url,
    registry: CONTRACT_REGISTRY,
    replica: REPLICA,
    log: SILENT_LOG,
  });
}

/** The tables as they were after the migration, with the registry's rows. */
async function empty(): Promise<void> {
  await database.sql`truncate switchyard.account, switchyard.hold, switchyard.ledger_entry, switchyard.audit,
    switchyard.breaker_event, switchyard.provider_state, switchyard.rate_slot, switchyard.rate_waiter, switchyard.replica,
    switchyard.books_difference`;
  await database.sql`update switchyard.books_place set account = '', entry = 0, round_started_at = '-infinity'`;
  await database.sql`update switchyard.breaker_event_counter set last = 0`;
  await database.setClock(START);
  await onPostgres.adopt(CONTRACT_REGISTRY);
}

test('memory and PostgreSQL answer every sequence of commands alike, to the pico-dollar and the millisecond', async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(commands, async (sequence) => {
      await empty();
      let now = START;
      await using onMemory = makeMemoryStore({ registry: CONTRACT_REGISTRY, now: () => now, replica: REPLICA });
      const made = { memory: [], postgres: [] };
      for (const [step, command] of sequence.entries()) {
        if (command.kind === 'wait') {
          now = epochMs(now + command.ms);
          await database.setClock(now);
        }
        const expected = await run(onMemory, command, step, made.memory);
        const actual = await run(onPostgres, command, step, made.postgres);
        expect(actual, `step ${step}: ${nameOf(command)}`).toEqual(expected);
        noteWhatHappened(expected, seen);
        if (command.kind === 'settle' || command.kind === 'reap') await expectSums();
      }
    }),
    { numRuns: 150, examples: [[STORY], [SHARES]] },
  );
  // The sequences are worth nothing if they never reach what matters.
  expect([...seen].toSorted()).toEqual(
    expect.arrayContaining([
      'alreadySettled',
      'breakerOpen',
      'breakerProbing',
      'cooldownElapsed',
      'disabled',
      'failureThreshold',
      'manualReset',
      'notDue',
      'overBudget',
      'overCostLimit',
      'probe',
      'probeFailed',
      'probeSucceeded',
      'rateLimited',
      'setAside',
      'shrunk',
      'simulation',
      'stale',
      'stopped by key',
      'stopped by team',
      'stopped by user',
      'throttled',
      'unknownHold',
    ]),
  );
}, 180_000);

/** Which of the cases that matter an answer shows. */
function noteWhatHappened(answer: unknown, seen: Set<string>): void {
  JSON.stringify(answer, (key, value: unknown) => {
    if ((key === 'kind' || key === 'cause') && typeof value === 'string') seen.add(value);
    if (key === 'account' && typeof value === 'string') seen.add(`stopped by ${value.split(':')[0]}`);
    if (key === 'isProbe' && value === true) seen.add('probe');
    if (key === 'isStale' && value === true) seen.add('stale');
    if (key === 'outputTokens' && typeof value === 'number' && value >= 16 && value < 60) seen.add('shrunk');
    return typeof value === 'bigint' ? String(value) : value;
  });
}

/** What docs/budgets.md promises: held = Σ holds and posted = Σ entries, at every moment. */
async function expectSums(): Promise<void> {
  const wrong = await database.sql`
    select a.key from switchyard.account a
    where a.held <> (select coalesce(sum(amount), 0) from switchyard.hold h
        where a.key = any(array_prepend(h.account, h.also)) and h.state = 'held')
       or a.posted <> (select coalesce(sum(amount), 0) from switchyard.ledger_entry e where e.account = a.key)`;
  expect(wrong).toHaveLength(0);
}

function nameOf(command: Command): string {
  return JSON.stringify(command, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}
