import { defineExperiment, makeFaults } from '../support/experiment.ts';
import { closedLoad } from '../support/load.ts';
import { makeProvider } from '../support/registry.ts';
import { openScene, replicaAt, type Scene } from '../support/scene.ts';
import type { Reaction } from '../support/upstream/reaction.ts';

/** Providers of its own for each way to fail. */
const PLACES = ['a', 'b', 'c', 'd'] as const;
const OUTPUT_TOKENS = 10;
const ATTEMPTS_PER_REQUEST_MAX = 3;
const ATTEMPTS_SHARE_MAX = 1.1;

/** How upstreams fail: with what opens a breaker, and with what never does, so that only the retry budget stands in the way. */
const FAILURES = {
  'errors (500)': { kind: 'refuse', status: 500 },
  'limits without a time (429)': { kind: 'refuse', status: 429 },
  'unknown models (404)': { kind: 'refuse', status: 404 },
} as const satisfies Record<string, Reaction>;

/** When everything is broken, trying again everywhere only makes it worse. */
export const retryStorm = defineExperiment({
  number: 15,
  title: 'all upstreams failing',
  mustYield: 'attempts <= 1.1 x requests after warm-up, <= 3 a request',
  sizes: {
    quick: { replicas: 2, callers: 8, requests: 80, warmUp: 60 },
    full: { replicas: 2, callers: 16, requests: 1_000, warmUp: 100 },
  },
  async run(context, size) {
    const faults = makeFaults();
    const told: string[] = [];
    const figures: Record<string, number> = {};
    await using scene = await openScene(context, {
      replicas: size.replicas,
      providers: Object.values(FAILURES)
        .flatMap(keysOf)
        .map((key) => makeProvider(key)),
    });
    for (const [name, reaction] of Object.entries(FAILURES)) {
      context.progress(`${size.requests} requests while all upstreams fail with ${name}`);
      scene.upstream.reactWith(() => reaction);
      const only = keysOf(reaction);
      const start = scene.upstream.receivedCount;
      await send(scene, { ...size, only, count: size.warmUp, name: `warm-${reaction.status}` });
      const before = scene.upstream.receivedCount;
      await send(scene, { ...size, only, count: size.requests, name: `storm-${reaction.status}` });
      const share = (scene.upstream.receivedCount - before) / size.requests;
      const most = mostAttempts(scene);
      faults.expect(scene.upstream.receivedCount > start, `${name}: no upstream was called, so nothing was shown`);
      faults.expect(share <= ATTEMPTS_SHARE_MAX, `${name}: ${share.toFixed(2)} attempts a request after warm-up`);
      faults.expect(most <= ATTEMPTS_PER_REQUEST_MAX, `${name}: one request made ${most} attempts`);
      told.push(`${name} ${share.toFixed(2)} a request, at most ${most}`);
      figures[`${reaction.status}.attemptsPerRequest`] = share;
      figures[`${reaction.status}.attemptsMax`] = most;
    }
    return { figure: `attempts: ${told.join('; ')}`, figures, faults: faults.list };
  },
});

function keysOf({ status }: { readonly status: number }): readonly string[] {
  return PLACES.map((place) => `${place}-${status}`);
}

function send(
  scene: Scene,
  of: { readonly callers: number; readonly count: number; readonly name: string; readonly only: readonly string[] },
): Promise<void> {
  return closedLoad({
    callers: of.callers,
    countMax: of.count,
    send: (sequence) => {
      const wish = { tag: `15-${of.name}-${sequence}`, userId: null, maxOutputTokens: OUTPUT_TOKENS, only: of.only };
      return scene.chat(replicaAt(scene, sequence).url, wish);
    },
  });
}

/** By what upstreams received under one tag. */
function mostAttempts(scene: Scene): number {
  const counts = new Map<string, number>();
  for (const { tag } of scene.upstream.bill.read()) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  return Math.max(0, ...counts.values());
}
