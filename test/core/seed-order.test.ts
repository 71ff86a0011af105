import { deepEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CATEGORIES, type Category } from '../../src/core/category.ts';
import { ANONYMOUS, replicaId } from '../../src/core/ids.ts';
import { NO_PACE } from '../../src/core/pace.ts';
import { parseChat } from '../../src/core/parse-chat.ts';
import { makePlan } from '../../src/core/plan.ts';
import type { Registry } from '../../src/core/registry.ts';
import { epochMs } from '../../src/core/time.ts';
import { makeMemoryStore } from '../../src/store/memory/store.ts';
import { alone } from '../support/alone.ts';
import { makeModel, makeProvider, makeRegistry, SEED_REGISTRY } from '../support/registries.ts';

const RUNS = { numRuns: 2_000 };
const NOW = epochMs(0);

type SeedSort = 'price' | 'latency' | 'quality';

/** A provider as the seed's configuration writes it. */
interface SeedProvider {
  readonly name: string;
  readonly costPerToken: number;
  readonly latencyMs: number;
  readonly quality: number;
  readonly specialties: readonly Category[];
}

const SEED: readonly SeedProvider[] = [
  {
    name: 'openai',
    costPerToken: 0.00002,
    latencyMs: 200,
    quality: 0.95,
    specialties: ['code', 'analysis', 'writing'],
  },
  { name: 'google', costPerToken: 0.000015, latencyMs: 250, quality: 0.94, specialties: ['writing', 'analysis'] },
];

/** The seed's `select_providers`, line for line: a score, a boost for specialists, a stable sort, smallest first. */
function seedOrder(of: {
  readonly providers: readonly SeedProvider[];
  readonly prompt: string;
  readonly category: Category;
  readonly sort: SeedSort;
}): readonly string[] {
  const tokens = Math.ceil([...of.prompt].length / 4);
  const scored = of.providers.map((provider) => {
    const isSpecialist = provider.specialties.includes(of.category);
    switch (of.sort) {
      case 'price':
        return { provider, score: tokens * provider.costPerToken * (isSpecialist ? 0.9 : 1) };
      case 'latency':
        return { provider, score: provider.latencyMs * (isSpecialist ? 0.9 : 1) };
      case 'quality':
        return { provider, score: -provider.quality * (isSpecialist ? 1.1 : 1) };
      default:
        return of.sort satisfies never;
    }
  });
  return scored.toSorted((one, other) => one.score - other.score).map(({ provider }) => provider.name);
}

async function ourOrder(
  registry: Registry,
  of: { readonly prompt: string; readonly category: Category; readonly sort: SeedSort },
): Promise<readonly string[]> {
  const parsed = parseChat({ prompt: of.prompt, routing: { sort: of.sort } }, registry);
  if (parsed.kind !== 'valid') throw new RangeError('not a valid chat');
  const store = makeMemoryStore({ registry, now: () => NOW, replica: replicaId('test') });
  const plan = makePlan({
    request: parsed.request,
    registry,
    isStreamed: false,
    classification: { category: of.category, confidence: 1, signals: [], classifier: 'test' },
    ...(await store.look(alone(ANONYMOUS))),
    defaultCap: null,
    inputTokensMax: () => 1,
    paceOf: () => NO_PACE,
  });
  return plan.ranked.map(({ candidate }) => candidate.provider.key);
}

const prompt = fc
  .oneof(fc.string({ minLength: 1, maxLength: 300 }), fc.string({ unit: 'grapheme', minLength: 1 }))
  .filter((text) => text.trim() !== '');
const category = fc.constantFrom(...CATEGORIES);
const sort = fc.constantFrom<SeedSort>('price', 'latency', 'quality');

test("with the seed's registry, candidates stand in the seed's own order, for every prompt, class and goal", async () => {
  await fc.assert(
    fc.asyncProperty(prompt, category, sort, async (text, kind, goal) => {
      const of = { prompt: text, category: kind, sort: goal };
      deepEqual(await ourOrder(SEED_REGISTRY, of), seedOrder({ ...of, providers: SEED }));
    }),
    RUNS,
  );
});

test("with any registry, too, where the seed's floats can hold the figures", async () => {
  // Tenths of tens are whole: the seed's floats and our exact figures see the same ties.
  const provider = fc.record({
    costPerToken: fc.integer({ min: 1, max: 12 }).map((tens) => tens * 10),
    latencyMs: fc.integer({ min: 1, max: 12 }).map((tens) => tens * 100),
    quality: fc.constantFrom(0.25, 0.5, 0.75, 1),
    specialties: fc.subarray([...CATEGORIES]),
  });
  const providers = fc
    .array(provider, { minLength: 2, maxLength: 5 })
    .map((list) => list.map((spec, index) => ({ ...spec, name: `p${index}` })));
  await fc.assert(
    fc.asyncProperty(providers, prompt, category, sort, async (list, text, kind, goal) => {
      const registry = makeRegistry(
        ...list.map(({ name, costPerToken, latencyMs, quality, specialties }) => {
          const changes = { typicalLatencyMs: latencyMs, quality };
          return makeProvider(name, [makeModel(name, String(costPerToken), changes)], { specialties });
        }),
      );
      const of = { prompt: text, category: kind, sort: goal };
      deepEqual(await ourOrder(registry, of), seedOrder({ ...of, providers: list }));
    }),
    RUNS,
  );
});

test("the seed's cost goal picks google even for code, and its other goals pick openai", async () => {
  const first = async (goal: SeedSort) =>
    (await ourOrder(SEED_REGISTRY, { prompt: 'Fix this function', category: 'code', sort: goal }))[0];
  expect(await first('price')).toBe('google');
  expect(await first('latency')).toBe('openai');
  expect(await first('quality')).toBe('openai');
});
