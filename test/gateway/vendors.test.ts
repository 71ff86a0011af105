import { type FixtureOpts, type FixtureResponse, LLMock } from '@copilotkit/aimock';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AttemptReport } from '../../src/core/decision.ts';
import type { Delta } from '../../src/core/delta.ts';
import { providerKey, userAccount } from '../../src/core/ids.ts';
import { picoUsd } from '../../src/core/money.ts';
import { STREAM_LIMITS } from '../../src/gateway/stream-watch.ts';
import type { ProviderPort } from '../../src/ports/provider.ts';
import { MODEL_NAMES, makeProvider, modelNamed } from '../providers/upstream.ts';
import { makeGatewayKit } from '../support/gateway-kit.ts';
import { makeProvider as makeProviderSpec, makeRegistry, usdPerMTok } from '../support/registries.ts';

// A whole gateway before vendors' APIs that this project did not write, over real sockets: what each way to fail is called, whether it
// counts against the provider, and what it costs.

const VENDORS = ['openai', 'anthropic', 'gemini'] as const;
type Vendor = (typeof VENDORS)[number];

/** A token of input costs one micro-dollar, one of output ten. */
const PRICE = { input: usdPerMTok('1'), output: usdPerMTok('10'), cachedInput: null, reasoning: null };
const OUTPUT_TOKENS_MAX = 100;
/** In each vendor's own words: aimock takes what it needs. */
const USAGE = {
  ...{ prompt_tokens: 11, completion_tokens: 30, total_tokens: 41 },
  ...{ input_tokens: 11, output_tokens: 30 },
  ...{ promptTokenCount: 11, candidatesTokenCount: 30, totalTokenCount: 41 },
};
const TEXT = 'Trains run on rails, and rails lie on sleepers.';
const ARGUMENTS = '{"city":"Bern"}';
const LATE_MS = 30_000;
/** Some pieces at once, and the next one late. */
const SILENCE: FixtureOpts = {
  chunkSize: 8,
  recordedTimings: { ttftMs: 1, interChunkDelaysMs: [1, 1, 1, LATE_MS], totalDurationMs: LATE_MS },
};

/** What an attempt is charged: the vendor's counts, what was received of it, all that was held, or nothing. */
type Charge = 'counts' | 'received' | 'hold' | 'nothing';

interface Expected extends Pick<AttemptReport, 'outcome' | 'httpStatus' | 'countedByBreaker'> {
  readonly charge: Charge;
  /** Null when nobody said when to come back. */
  readonly retryAfterMs?: number | null;
}

interface Scene {
  readonly scene: string;
  readonly response: FixtureResponse;
  readonly opts?: FixtureOpts;
  /** How far the gateway's clock is moved once the request is out, or once a piece has come. */
  readonly waits?: { readonly after: 'sending' | 'piece'; readonly ms: number };
  readonly whole?: Expected;
  readonly stream?: Expected;
}

const SUCCEEDED = { outcome: 'succeeded', httpStatus: null, countedByBreaker: true, charge: 'counts' } as const;
const answer = { content: TEXT, usage: USAGE };
const refusal = (status: number, type: string, retryAfter?: number) => ({
  error: { message: 'no such luck', type },
  status,
  ...(retryAfter !== undefined && { retryAfter }),
});
const refused = (status: number, outcome: AttemptReport['outcome'], over: Partial<Expected> = {}) => {
  const expected: Expected = { outcome, httpStatus: status, countedByBreaker: false, charge: 'nothing', ...over };
  return { whole: expected, stream: expected };
};
const BROKEN = { outcome: 'networkError', httpStatus: null, countedByBreaker: true, charge: 'hold' } as const;
const CUT = { outcome: 'networkError', httpStatus: 200, countedByBreaker: true, charge: 'received' } as const;
const TIMED_OUT = { outcome: 'timedOut', httpStatus: null, countedByBreaker: true, charge: 'hold' } as const;
const NONSENSE = { outcome: 'invalidResponse', httpStatus: 200, countedByBreaker: true, charge: 'hold' } as const;

const SCENES: readonly Scene[] = [
  { scene: 'a plain answer', response: answer, whole: SUCCEEDED, stream: SUCCEEDED },
  {
    scene: 'a tool call',
    response: { toolCalls: [{ name: 'get_weather', arguments: ARGUMENTS }], usage: USAGE },
    whole: SUCCEEDED,
    stream: SUCCEEDED,
  },
  {
    scene: 'an answer that takes its time',
    response: answer,
    opts: { chunkSize: 4, streamingProfile: { ttft: 40, tps: 500 }, chaos: { latencyMs: 20 } },
    whole: SUCCEEDED,
    stream: SUCCEEDED,
  },
  {
    scene: '429 with Retry-After',
    response: refusal(429, 'rate_limit_error', 7),
    ...refused(429, 'throttled', { retryAfterMs: 7_000 }),
  },
  {
    scene: '500',
    response: refusal(500, 'server_error'),
    ...refused(500, 'providerError', { countedByBreaker: true, charge: 'hold' }),
  },
  { scene: '401', response: refusal(401, 'authentication_error'), ...refused(401, 'misconfigured') },
  {
    scene: 'what is not JSON',
    response: answer,
    opts: { chaos: { malformedRate: 1 } },
    whole: NONSENSE,
    stream: NONSENSE,
  },
  {
    scene: 'a connection cut before the answer',
    response: answer,
    opts: { chaos: { disconnectRate: 1 } },
    whole: BROKEN,
    stream: BROKEN,
  },
  {
    scene: 'a stream cut after some of its frames',
    response: answer,
    opts: { chunkSize: 8, latency: 5, truncateAfterChunks: 5 },
    stream: CUT,
  },
  {
    scene: 'a stream cut after some time',
    response: answer,
    opts: { ...SILENCE, disconnectAfterMs: 400 },
    stream: CUT,
  },
  {
    scene: 'an answer that does not come',
    response: answer,
    opts: { chaos: { latencyMs: LATE_MS } },
    waits: { after: 'sending', ms: 60_000 },
    whole: TIMED_OUT,
    stream: TIMED_OUT,
  },
  {
    scene: 'a stream that falls silent',
    response: answer,
    opts: SILENCE,
    waits: { after: 'piece', ms: STREAM_LIMITS.idleMs },
    stream: { outcome: 'timedOut', httpStatus: null, countedByBreaker: true, charge: 'received' },
  },
];

const aimock = new LLMock({ port: 0, logLevel: 'silent' });
beforeAll(async () => {
  for (const { scene, response, opts } of SCENES) aimock.onMessage(scene, response, opts);
  await aimock.start();
});
afterAll(() => aimock.stop());

/** A gateway whose only provider is a vendor's API as aimock plays it. Its errors are billed as the service takes them to be. */
async function openGateway(vendor: Vendor, onSent: () => void) {
  const model = modelNamed(MODEL_NAMES[vendor], { capabilities: ['streaming'], price: PRICE });
  const real = await makeProvider(vendor, aimock.url, { areErrorsBilled: vendor !== 'gemini' });
  const provider: ProviderPort = {
    ...real,
    call: (...args) => {
      const result = real.call(...args);
      onSent();
      return result;
    },
  };
  const registry = makeRegistry(makeProviderSpec(vendor, [model], { kind: vendor }));
  return { kit: makeGatewayKit({ registry, providers: new Map([[providerKey(vendor), provider]]) }), provider, model };
}

async function play({ scene, waits }: Scene, vendor: Vendor, isStreamed: boolean) {
  const sent = Promise.withResolvers<void>();
  const piece = Promise.withResolvers<void>();
  const deltas: Delta[] = [];
  const onDelta = (delta: Delta) => {
    deltas.push(delta);
    piece.resolve();
  };
  const { kit, provider, model } = await openGateway(vendor, sent.resolve);
  await using opened = kit;
  const call = opened.callOf({ prompt: scene, userId: 'ann', maxOutputTokens: OUTPUT_TOKENS_MAX });
  const chat = opened.gateway.chat({ ...call, onDelta: isStreamed ? onDelta : null });
  if (waits !== undefined) {
    await (waits.after === 'sending' ? sent.promise : piece.promise);
    opened.clock.advance(waits.ms);
  }
  const outcome = await chat;
  if (outcome.kind === 'notRun') throw new RangeError(outcome.why.message);
  return {
    outcome,
    deltas,
    inputTokensMax: provider.inputTokensMax(call.request.prompt, model),
    account: await opened.store.account(userAccount('ann')),
    logged: await opened.gateway.findAnswered(outcome.requestId),
  };
}

type Played = Awaited<ReturnType<typeof play>>;

/** What a listener was told of the text, and of the only call's arguments. */
const textIn = (deltas: readonly Delta[]) => deltas.map((delta) => (delta.kind === 'text' ? delta.text : '')).join('');
const inputIn = (deltas: readonly Delta[]) =>
  deltas.map((delta) => (delta.kind === 'toolCall' ? (delta.argumentsChunk ?? '') : '')).join('');

function amountOf(charge: Charge, vendor: Vendor, { inputTokensMax, deltas }: Played) {
  // Anthropic counts the input in its first frame.
  const inputReceived = vendor === 'anthropic' ? USAGE.input_tokens : inputTokensMax;
  const micro = {
    counts: USAGE.prompt_tokens + 10 * USAGE.completion_tokens,
    received: inputReceived + 10 * Buffer.byteLength(textIn(deltas)),
    hold: inputTokensMax + 10 * OUTPUT_TOKENS_MAX,
    nothing: 0,
  }[charge];
  return picoUsd(BigInt(micro) * 1_000_000n);
}

const isUnbilled = (vendor: Vendor, { httpStatus }: Expected) => vendor === 'gemini' && httpStatus === 500;

const TABLE = VENDORS.flatMap((vendor) =>
  SCENES.flatMap((scene) => [
    ...(scene.whole === undefined ? [] : [{ vendor, form: 'whole', name: scene.scene, scene, expected: scene.whole }]),
    ...(scene.stream === undefined
      ? []
      : [{ vendor, form: 'stream', name: scene.scene, scene, expected: scene.stream }]),
  ]),
);

describe('what a vendor does is named, charged and counted', () => {
  test.each(TABLE)('$vendor, $form: $name', async ({ vendor, form, scene, expected }) => {
    const played = await play(scene, vendor, form === 'stream');
    const { outcome, account, logged } = played;
    const { outcome: name, httpStatus, countedByBreaker } = expected;
    const charge = isUnbilled(vendor, expected) ? 'nothing' : expected.charge;
    const cost = amountOf(charge, vendor, played);
    expect(outcome.routing.attempts).toMatchObject([{ outcome: name, httpStatus, countedByBreaker, cost }]);
    expect({ posted: account.posted, held: account.held, total: outcome.cost.total }).toEqual({
      posted: cost,
      held: 0n,
      total: cost,
    });
    expect(logged).toMatchObject({
      isStreamed: form === 'stream',
      status: name === 'succeeded' ? 'succeeded' : 'failed',
    });
    if (outcome.kind === 'ended') expect(outcome.why.retryAfterMs).toBe(expected.retryAfterMs ?? null);
    else {
      const isCall = 'toolCalls' in scene.response;
      expect(outcome.answer).toMatchObject(
        isCall ? { text: null, finishReason: 'toolCalls' } : { text: TEXT, finishReason: 'stop' },
      );
      const told = isCall ? { text: '', input: ARGUMENTS } : { text: TEXT, input: '' };
      if (form === 'stream') expect({ text: textIn(played.deltas), input: inputIn(played.deltas) }).toEqual(told);
    }
  });
});
