import fc from 'fast-check';
import { CATEGORIES, type Category } from '../../src/core/category.ts';
import { type ChatRequest, SORTS } from '../../src/core/chat-request.ts';
import { type AccountKey, holdId, replicaId, requestId, userAccount } from '../../src/core/ids.ts';
import { type PicoUsd, picoUsd, ZERO_USD } from '../../src/core/money.ts';
import { NO_PACE, type Pace, withSample } from '../../src/core/pace.ts';
import { parseChat } from '../../src/core/parse-chat.ts';
import { makePlan, type Plan, type PlanInput } from '../../src/core/plan.ts';
import type { RawChat } from '../../src/core/raw-chat.ts';
import type { Registry } from '../../src/core/registry.ts';
import { epochMs } from '../../src/core/time.ts';
import type { Store } from '../../src/ports/store.ts';
import { makeMemoryStore } from '../../src/store/memory/store.ts';
import { alone } from '../support/alone.ts';
import { makeModel, makeProvider, makeRegistry, usdPerMTok } from '../support/registries.ts';

const START = epochMs(Date.UTC(2026, 0, 1));
const ANN: AccountKey = userAccount('ann');
const ACTOR = { name: 'tester', reason: null };

type Attempted = 'taken' | 'answered' | 'failed' | 'throttled' | 'setAside';

/** Something that happened to a provider before the request came. */
interface Happening {
  readonly provider: number;
  readonly kind: Attempted | 'tripped' | 'disabled' | 'simulated' | 'waited';
  readonly amount: bigint;
}

/** A registry, what has happened, and what is asked: everything that a plan can depend on. */
export interface Scene {
  readonly registry: Registry;
  readonly happenings: readonly Happening[];
  readonly raw: RawChat;
  readonly cap: PicoUsd | null;
  readonly category: Category;
  readonly answersMs: readonly number[];
}

// Few different figures, so that ties and every reason to be rejected are met often.
const model = fc.record({
  name: fc.constantFrom('m-one', 'm-two', 'm-three'),
  input: fc.constantFrom('0', '1', '2'),
  output: fc.constantFrom('0', '4'),
  aliases: fc.constantFrom([], ['fast']),
  contextWindow: fc.constantFrom(12, 400_000, 400_000, 400_000),
  maxOutputTokens: fc.constantFrom(8, 1_000),
  capabilities: fc.constantFrom([], ['vision'] as const, ['vision'] as const),
  unsupportedParameters: fc.constantFrom([], [], ['temperature'] as const),
  quality: fc.constantFrom(0.5, 0.75),
  typicalLatencyMs: fc.constantFrom(100, 200),
  typicalTokensPerSecond: fc.constantFrom(50, 100),
});

const provider = fc.record({
  requestsPerMinute: fc.constantFrom(1, 4, 6, 8),
  specialties: fc.subarray([...CATEGORIES]),
  models: fc.uniqueArray(model, { minLength: 1, maxLength: 2, selector: (one) => one.name }),
});

const registry = fc.array(provider, { minLength: 1, maxLength: 4 }).map((providers) =>
  makeRegistry(
    ...providers.map(({ models, ...spec }, index) =>
      makeProvider(
        `p${index}`,
        models.map(({ name, input, output, ...changes }) =>
          makeModel(name, input, {
            ...changes,
            price: { input: usdPerMTok(input), output: usdPerMTok(output), cachedInput: null, reasoning: null },
            imageTokensMax: changes.capabilities.length > 0 ? 500 : null,
          }),
        ),
        spec,
      ),
    ),
  ),
);

const happening: fc.Arbitrary<Happening> = fc.record({
  provider: fc.nat(3),
  kind: fc.constantFrom(
    ...(['taken', 'taken', 'taken', 'taken', 'answered', 'failed', 'throttled', 'setAside', 'disabled'] as const),
    ...(['simulated', 'tripped', 'tripped', 'tripped', 'waited', 'waited', 'waited', 'waited'] as const),
  ),
  amount: fc.constantFrom(0n, 1_000_000n, 50_000_000n),
});

/** Mostly null: one scene in `outOf` has the value. */
function sometimes<Value>(arbitrary: fc.Arbitrary<Value>, outOf = 6): fc.Arbitrary<Value | null> {
  return fc.oneof({ weight: outOf - 1, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });
}

function rawFor(known: Registry): fc.Arbitrary<RawChat> {
  const keys = known.providers.map(({ key }) => String(key));
  const names = known.providers.flatMap(({ key, models }) => models.flatMap(({ name }) => [name, `${key}/${name}`]));
  return fc.record({
    messages: fc.constantFrom(
      [{ role: 'user', content: 'hello' } as const],
      [{ role: 'user', content: 'x'.repeat(40) } as const],
      [{ role: 'user', content: 'hello' } as const],
      [{ role: 'user', parts: [{ text: 'what is this?' }, { imageUrl: 'https://a.example/b.png' }] } as const],
    ),
    model: fc.constantFrom('auto', 'auto', ...names),
    fallbackModels: sometimes(fc.shuffledSubarray([...new Set(names)]).map((list) => list.slice(0, 4))),
    maxOutputTokens: sometimes(fc.constantFrom(1, 5, 100)),
    temperature: sometimes(fc.constant(0.5)),
    maxCostUsd: sometimes(fc.constantFrom(1_000_000n, 200_000_000n, 10n ** 12n).map(picoUsd)),
    routing: fc.record({
      order: sometimes(fc.shuffledSubarray(keys), 3),
      only: sometimes(fc.shuffledSubarray(keys), 8),
      ignore: sometimes(fc.subarray(keys, { maxLength: 1 })),
      sort: sometimes(fc.constantFrom(...SORTS), 2),
      allowFallbacks: fc.constantFrom(true, true, true, false),
      requireParameters: fc.boolean(),
      maxPrice: sometimes(
        fc.record({
          inputUsdPerMillion: sometimes(fc.constant(picoUsd(10n ** 12n)), 2),
          outputUsdPerMillion: sometimes(fc.constant(picoUsd(10n ** 12n)), 2),
        }),
      ),
      maxLatencyMs: sometimes(fc.constantFrom(150, 250)),
    }),
  });
}

export const scene: fc.Arbitrary<Scene> = registry.chain((known) =>
  fc.record({
    registry: fc.constant(known),
    happenings: fc.array(happening, { maxLength: 14 }),
    raw: rawFor(known),
    cap: sometimes(fc.constantFrom(1_000_000n, 60_000_000n, 10n ** 12n).map(picoUsd), 3),
    category: fc.constantFrom(...CATEGORIES),
    answersMs: fc.constantFrom([], [], [50, 300]),
  }),
);

/** A plan, what it was made of, and the store in the state that was looked at. */
export interface Planned {
  readonly input: PlanInput;
  readonly plan: Plan;
  readonly store: Store;
  readonly request: ChatRequest;
}

/** Plays what happened on a memory store of its own, looks, and plans. The same scene always gives the same plan. */
export async function planOf(of: Scene): Promise<Planned> {
  const store = await storeAfter(of);
  const parsed = parseChat(of.raw, of.registry);
  if (parsed.kind !== 'valid') throw new RangeError(JSON.stringify(parsed.issues));
  const snapshot = await store.look(alone(ANN));
  const input: PlanInput = {
    request: parsed.request,
    registry: of.registry,
    isStreamed: false,
    classification: { category: of.category, confidence: 1, signals: [], classifier: 'test' },
    ...snapshot,
    defaultCap: of.cap,
    inputTokensMax: () => 60,
    paceOf: (spec) => paceOf(of, spec.key),
  };
  return { input, plan: makePlan(input), store, request: parsed.request };
}

/** Only the first provider has been measured. */
function paceOf({ answersMs, registry: { providers } }: Scene, key: string): Pace {
  if (providers[0]?.key !== key || answersMs.length === 0) return NO_PACE;
  const answers = Array.from({ length: 20 }, (_, index) => ({
    durationMs: answersMs[index % answersMs.length] ?? 0,
    outputTokens: 10,
  }));
  return answers.reduce(withSample, NO_PACE);
}

async function storeAfter(of: Scene): Promise<Store> {
  let now = START;
  const store = makeMemoryStore({ registry: of.registry, now: () => now, replica: replicaId('test') });
  for (const [step, { provider: index, kind, amount }] of of.happenings.entries()) {
    const spec = of.registry.providers[index % of.registry.providers.length]!;
    if (kind === 'waited') now = epochMs(now + 61_000);
    else if (kind === 'disabled') await store.setEnabled(spec.key, false, ACTOR);
    else if (kind === 'simulated') {
      const wish = { mode: 'error', rate: 1, durationMs: 60_000, failuresMax: null, latencyMs: null } as const;
      await store.simulate(spec.key, wish, ACTOR);
    } else {
      const attempts: readonly Attempted[] = kind === 'tripped' ? ['failed', 'failed', 'failed'] : [kind];
      for (const [place, outcome] of attempts.entries()) {
        await attempt(store, { id: `${step}.${place}`, outcome, amount: picoUsd(amount), of, key: spec.key });
      }
    }
  }
  return store;
}

async function attempt(
  store: Store,
  act: {
    readonly id: string;
    readonly outcome: Attempted;
    readonly amount: PicoUsd;
    readonly of: Scene;
    readonly key: Registry['providers'][number]['key'];
  },
): Promise<void> {
  const { id, outcome, amount, of, key } = act;
  const bound = { input: amount, perOutputToken: ZERO_USD, outputTokensMax: 1, outputTokensMin: 1 };
  const admitted = await store.admit({
    requestId: requestId(id),
    attempt: 1,
    holdId: holdId(id),
    account: ANN,
    also: [],
    defaultCap: of.cap,
    ceiling: null,
    candidates: [{ provider: key, model: 'any', bound }],
    attemptMs: 10_000,
  });
  if (admitted.kind === 'refused' || outcome === 'taken') return;
  await store.settle({
    holdId: holdId(id),
    charge: outcome === 'answered' ? { kind: 'spent', amount, source: 'reported' } : { kind: 'nothing' },
    verdict:
      outcome === 'failed'
        ? { kind: 'failure', retryAfterMs: null, isSimulated: false }
        : { kind: outcome === 'answered' ? 'success' : 'neutral' },
    jitter: 0,
    throttledForMs: outcome === 'throttled' ? 5_000 : null,
    setAside: outcome === 'setAside' ? '401' : null,
  });
}
