import { expect, test } from 'vitest';
import { StoreUnavailable } from '../../src/core/unavailable.ts';
import type { ReloadOutcome } from '../../src/ports/meters.ts';
import type { Setup } from '../../src/wiring/read-setup.ts';
import { startReloader } from '../../src/wiring/reloader.ts';
import type { SetupReading } from '../../src/wiring/setup-source.ts';
import { makeFakeClock } from '../fakes/clock.ts';
import { configurationsOf } from '../fakes/configuration.ts';
import { makeListeningLog } from '../fakes/log.ts';
import { quiet } from '../support/gateway-kit.ts';
import { YAML } from '../support/registry-yaml.ts';
import { makeSetupFolder } from './reloading.ts';

/** A reloader on real files, which is woken by hand. `adopt` may be made to fail. */
async function startOn(place: Awaited<ReturnType<typeof makeSetupFolder>>) {
  const setup = await place.readSetup();
  const clock = makeFakeClock();
  const { log, lines } = makeListeningLog();
  const configurations = configurationsOf(setup);
  const adopted: Setup[] = [];
  const outcomes: ReloadOutcome[] = [];
  let stale: number | null = null;
  let fault: Error | null = null;
  let reading: Promise<SetupReading> | null = null;
  let readings = 0;
  let heard = 0;
  const reloader = startReloader({
    source: {
      read() {
        readings += 1;
        reading = place.source.read();
        return reading;
      },
    },
    setup,
    async adopt(next) {
      if (fault !== null) throw fault;
      adopted.push(next);
    },
    configurations,
    clock,
    log,
    meters: {
      configReloads: { count: (outcome) => void outcomes.push(outcome) },
      configStale: {
        set(value) {
          stale = value;
        },
      },
    },
  });
  /** Waits for the reading that is under way, and for what comes of it. */
  const settle = async () => {
    await quiet();
    await reading;
    await quiet();
  };
  return {
    reloader,
    clock,
    adopted,
    outcomes,
    settle,
    stale: () => stale,
    readings: () => readings,
    fault: () => configurations.fault(),
    fail: (error: Error | null) => {
      fault = error;
    },
    reload: async () => {
      reloader.reload();
      await settle();
    },
    /** What was logged since it was last asked, but for what is only for debugging. */
    said: () => {
      const news = lines.slice(heard).filter(({ level }) => level !== 'debug');
      heard = lines.length;
      return news.map(({ level, message, fields }) => ({ level, message, ...fields }));
    },
    [Symbol.asyncDispose]: () => reloader[Symbol.asyncDispose](),
  };
}

test('what is right is taken over and told; what has not changed is not', async () => {
  await using place = await makeSetupFolder({ env: 'FIRST_KEY=one\n' });
  await using service = await startOn(place);
  await service.reload();
  expect([service.adopted, service.said()]).toEqual([[], []]);
  await place.write('.env', 'FIRST_KEY=two\n');
  await service.reload();
  expect(service.adopted).toHaveLength(1);
  expect(service.said()).toMatchObject([
    { level: 'info', message: 'the configuration was taken over', reconnected: 'first', added: '', nowMock: '' },
  ]);
  await place.write('.env', 'OTHER=1\n');
  await place.write('documents.json', '{}');
  await service.reload();
  const told = service.said();
  expect(told).toMatchObject([{ nowMock: 'first', reconnected: '' }]);
  expect(JSON.stringify(told)).not.toContain('two');
  expect(service.adopted[1]?.persisted.texts.size).toBe(0);
  await service.reload();
  expect(service.outcomes).toEqual(['unchanged', 'applied', 'applied', 'unchanged']);
  expect(service.stale()).toBe(0);
});

test('what has faults is refused in one line that names them all, and so is its repair told', async () => {
  await using place = await makeSetupFolder();
  await using service = await startOn(place);
  const right = await place.readSetup();
  await place.write('providers.yaml', 'priceListVersion: ""\nproviders: []\n');
  await service.reload();
  const [line, ...more] = service.said();
  expect(more).toEqual([]);
  expect(line).toMatchObject({ level: 'error', message: expect.stringContaining('stays in force'), count: 2 });
  expect(JSON.stringify(line)).toContain(`${place.at('providers.yaml')}:1:19 priceListVersion`);
  expect(service.fault()).toContain(`${place.at('providers.yaml')}:2:12 providers`);
  expect([service.stale(), service.adopted]).toEqual([1, []]);
  await place.write('providers.yaml', YAML);
  await service.reload();
  expect(service.said()).toMatchObject([{ level: 'info', message: expect.stringContaining('whole again') }]);
  expect([service.stale(), service.fault(), service.adopted]).toEqual([0, null, []]);
  expect(right.registry.priceListVersion).toBe('test-1');
  expect(service.outcomes).toEqual(['refused', 'unchanged']);
});

test('while the store is away the one before stays in force, it is said once, and tried again until the store has it', async () => {
  await using place = await makeSetupFolder();
  await using service = await startOn(place);
  service.fail(new StoreUnavailable('connection refused'));
  await place.write('documents.json', '{}');
  await service.reload();
  expect(service.said()).toMatchObject([{ level: 'warn', reason: expect.stringContaining('connection refused') }]);
  expect([service.stale(), service.fault()]).toEqual([1, expect.stringContaining('connection refused')]);
  service.clock.advance(2_000);
  await service.settle();
  expect([service.said(), service.readings()]).toEqual([[], 2]);
  service.fail(null);
  // Read anew each time: the newest is what is taken over.
  await place.write('documents.json', '{"two": "{ viewer { scopes } }"}');
  service.clock.advance(2_000);
  await service.settle();
  expect(service.adopted.map(({ persisted }) => [...persisted.texts.keys()])).toEqual([['two']]);
  expect([service.stale(), service.fault(), service.clock.timerCount()]).toEqual([0, null, 0]);
  expect(service.outcomes).toEqual(['deferred', 'deferred', 'applied']);
});

test('reloads that come at once are read one after the other, and after the end nothing comes of one', async () => {
  await using place = await makeSetupFolder();
  await using service = await startOn(place);
  service.reloader.reload();
  service.reloader.reload();
  service.reloader.reload();
  await service.settle();
  await service.settle();
  expect(service.outcomes).toEqual(['unchanged', 'unchanged']);
  await place.write('documents.json', '{}');
  service.reloader.reload();
  await service.reloader[Symbol.asyncDispose]();
  service.reloader.reload();
  await service.settle();
  expect([service.adopted, service.readings()]).toEqual([[], 3]);
});

test('a setting that only a start can change is named once for each change', async () => {
  await using place = await makeSetupFolder({ env: 'FIRST_KEY=one\n' });
  await using service = await startOn(place);
  await place.write('.env', 'FIRST_KEY=one\nLOG_LEVEL=debug\nADMIN_KEY=short-and-secret\n');
  await service.reload();
  await service.reload();
  const told = service.said();
  expect(told).toMatchObject([{ level: 'warn', settings: 'ADMIN_KEY, LOG_LEVEL' }]);
  expect(JSON.stringify(told)).not.toContain('short-and-secret');
});
