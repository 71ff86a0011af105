import { asPayer } from '../core/account.ts';
import type { Classification } from '../core/category.ts';
import { classify } from '../core/classify.ts';
import type { ProviderKey } from '../core/ids.ts';
import { promptOf } from '../core/message.ts';
import type { Paying } from '../core/paying.ts';
import { makePlan, type Plan } from '../core/plan.ts';
import { POLICY } from '../core/score.ts';
import type { EpochMs } from '../core/time.ts';
import type { ProviderPort } from '../ports/provider.ts';
import type { Payer } from './caller.ts';
import type { ChatDeps } from './deps.ts';
import type { ChatCall } from './gateway.ts';

/** A plan with what it was made from. */
export interface Planned extends Paying {
  readonly plan: Plan;
  readonly classification: Classification;
  /** The store's clock. */
  readonly nowMs: EpochMs;
  readonly decisionMs: number;
}

/** Looks, and plans by what is seen. The one planning code of `chat` and `routePreview`: it takes nothing. */
export async function planFor(deps: ChatDeps, call: ChatCall, payer: Payer): Promise<Planned> {
  const startedAtMs = deps.clock.elapsedMs();
  using step = call.span.route();
  const { request } = call;
  const snapshot = await deps.store.look(payer);
  const account = asPayer(snapshot.account, payer.defaultCap);
  const classification = classificationOf(call);
  const plan = makePlan({
    request,
    isStreamed: call.onDelta !== null,
    registry: deps.registry,
    classification,
    nowMs: snapshot.nowMs,
    providers: snapshot.providers,
    account,
    also: snapshot.also,
    defaultCap: payer.defaultCap,
    inputTokensMax: (provider, model) => providerOf(deps, provider.key).inputTokensMax(request.prompt, model),
    paceOf: (provider, model) => deps.paces.of(provider.key, model.name),
  });
  const decisionMs = deps.clock.elapsedMs() - startedAtMs;
  const { also, nowMs } = snapshot;
  const { category, confidence } = classification;
  const candidates = [...plan.ranked.map(({ report }) => report), ...plan.rejected];
  step.end({ category, confidence, policy: POLICY, candidates });
  return { plan, classification, account, also, nowMs, decisionMs };
}

/** The adapter of a provider of the registry; the wiring makes one for each. */
export function providerOf(deps: ChatDeps, key: ProviderKey): ProviderPort {
  const provider = deps.providers.get(key);
  if (provider === undefined) throw new RangeError(`no adapter for provider ${key}`);
  return provider;
}

function classificationOf(call: ChatCall): Classification {
  const { category } = call.request.preferences;
  if (category === null) return classify(promptOf(call.request.prompt.messages));
  return { category, confidence: 1, signals: ['the caller said so'], classifier: 'caller' };
}
