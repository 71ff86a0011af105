import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FAILURE_KINDS } from '../../src/core/failure.ts';
import {
  type Heard,
  type Listener,
  makeListener,
  SAVED_STREAMS,
  type SavedStream,
  sliced,
  type Wire,
} from './stream-corpus.ts';

// What a provider may send us: a saved corpus of each vendor's streams, whole, cut at every byte, with a byte changed, and in any
// slices. Fast-check prints the seed of a failure; a fixed one keeps the runs the same from day to day.

const SEED = 20_261_126;
/** Together with the cuts at every byte, each in two ways, and each change in two slicings, more than 100,000 runs over the corpus. */
const RUNS = { slicesPerStream: 1_500, changesPerStream: 1_200 } as const;
/** For a busy machine: the longest takes 2 s on an idle one. */
const TIMEOUT_MS = 120_000;

const unhandled: unknown[] = [];
const note = (reason: unknown) => void unhandled.push(reason);
beforeAll(() => void process.on('unhandledRejection', note));
afterAll(() => void process.off('unhandledRejection', note));

/** What a caller sees, however the bytes came. Left out: ids of tool calls, which a package may make up anew each time. */
function toldIn({ isBodyLeft: _, ...told }: Heard): object {
  return JSON.parse(JSON.stringify(told, (key, value) => (key === 'id' ? undefined : value)));
}

interface Scene {
  readonly saved: SavedStream;
  readonly listener: Listener;
}

/** The laws that hold for whatever came, and which of them are broken. */
function breachesOf({ result, text, toolCalls, isBodyLeft }: Heard, { saved }: Scene): readonly string[] {
  const counts = result.kind === 'failed' ? [] : Object.values(usageIn(result)).filter((of) => typeof of === 'number');
  const told = result.kind === 'answered' ? (result.answer.text ?? '') : text;
  const laws = {
    'a failure has one of the known names': result.kind === 'answered' || FAILURE_KINDS.includes(result.failure.kind),
    'a failure does not quote the answer': result.kind === 'answered' || !isQuoting(result.failure.message, saved),
    'a count is a whole number': counts.every((count) => Number.isInteger(count) && count >= 0),
    'what was told is the answer': text === told,
    'the calls that were told are the answer’s':
      result.kind !== 'answered' ||
      isDeepStrictEqual(
        toolCalls,
        result.answer.toolCalls.map(({ id: _, ...call }) => call),
      ),
    'the connection is given back': isBodyLeft,
    'no rejection is left unhandled': unhandled.length === 0,
  };
  return brokenIn(laws);
}

/** The laws of money, for streams whose counts are as the vendor wrote them. */
function debtsOf({ result, text, reasoning }: Heard, { saved, listener }: Scene): readonly string[] {
  if (result.kind === 'failed') return [];
  const { inputTokens, outputTokens } = usageIn(result);
  const { bounds } = listener;
  const stated = saved.expected.usage;
  const written = Math.min(bounds.outputTokens, Buffer.byteLength(text + reasoning));
  return brokenIn({
    'no more than is held': inputTokens <= bounds.inputTokens && outputTokens <= bounds.outputTokens,
    'no less input than the vendor counts': inputTokens >= stated.inputTokens,
    'no less output than the vendor counts': result.kind === 'cut' || outputTokens >= stated.outputTokens,
    'no less output than was told': result.kind === 'answered' || outputTokens >= written,
  });
}

const brokenIn = (laws: Readonly<Record<string, boolean>>) => Object.keys(laws).filter((law) => laws[law] === false);

function usageIn(result: Exclude<Heard['result'], { kind: 'failed' }>) {
  return result.kind === 'answered' ? result.answer.usage : result.usage;
}

function isQuoting(message: string, { expected }: SavedStream): boolean {
  const written = [expected.text ?? '', expected.reasoning, ...expected.toolCalls.map((call) => call.arguments)];
  const words = written.flatMap((text) => text.split(/[ ,.":{}]+/)).filter((word) => word.length > 4);
  return words.some((word) => message.includes(word));
}

describe.each(SAVED_STREAMS)('$name: $story', { timeout: TIMEOUT_MS }, (saved) => {
  const { bytes, expected } = saved;
  const whole: Wire = { pieces: [bytes], ending: 'closed' };

  test('says what is expected', async () => {
    const listener = await makeListener(saved);
    const heard = await listener.hear(whole);
    const { text, refusal, finishReason, usage, reasoning, toolCalls } = expected;
    expect(toldIn(heard)).toMatchObject({
      ...{ text: text ?? '', reasoning, toolCalls },
      result: { kind: 'answered', answer: { text, refusal, finishReason, usage, warnings: [] } },
    });
    expect([...breachesOf(heard, { saved, listener }), ...debtsOf(heard, { saved, listener })]).toEqual([]);
  });

  test('cut at any byte is no answer before its end, and is paid for by what came', async () => {
    const listener = await makeListener(saved);
    const end = endOf(saved);
    for (const ending of ['closed', 'broken'] as const) {
      for (let at = 0; at < bytes.length; at += 1) {
        const heard = await listener.hear({ pieces: [bytes.subarray(0, at)], ending });
        const mayAnswer = at >= end && ending === 'closed';
        const early = !mayAnswer && heard.result.kind === 'answered' ? ['no answer before its end'] : [];
        const broken = [...early, ...breachesOf(heard, { saved, listener }), ...debtsOf(heard, { saved, listener })];
        if (broken.length > 0) expect({ at, ending, heard, broken }).toEqual({ broken: [] });
      }
    }
  });

  test('says the same in any slices', async () => {
    const listener = await makeListener(saved);
    const told = toldIn(await listener.hear(whole));
    const places = fc.uniqueArray(fc.nat(bytes.length), { maxLength: 40 }).map((all) => all.toSorted((a, b) => a - b));
    const property = fc.asyncProperty(places, async (at) => {
      const heard = await listener.hear({ pieces: sliced(bytes, at), ending: 'closed' });
      if (!isDeepStrictEqual(toldIn(heard), told)) expect(toldIn(heard)).toEqual(told);
      const broken = breachesOf(heard, { saved, listener });
      if (broken.length > 0) expect({ heard, broken }).toEqual({ broken: [] });
    });
    await fc.assert(property, { numRuns: RUNS.slicesPerStream, seed: SEED });
    const everywhere = Array.from(bytes.keys()).slice(1);
    const heard = await listener.hear({ pieces: sliced(bytes, everywhere), ending: 'closed' });
    expect(toldIn(heard)).toEqual(told);
  });

  test('with a byte changed, put in or left out ends in one of the known ways', async () => {
    const listener = await makeListener(saved);
    const change = fc.record({
      at: fc.nat(bytes.length - 1),
      taken: fc.constantFrom(0, 1),
      put: fc.oneof(fc.uint8Array({ maxLength: 1 }), fc.constantFrom(...SYNTAX)),
    });
    const property = fc.asyncProperty(change, fc.nat(bytes.length), async ({ at, taken, put }, cut) => {
      const changed = Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + taken)]);
      const heard = await listener.hear({ pieces: [changed], ending: 'closed' });
      const again = await listener.hear({ pieces: sliced(changed, [cut]), ending: 'closed' });
      if (!isDeepStrictEqual(toldIn(again), toldIn(heard))) expect(toldIn(again)).toEqual(toldIn(heard));
      const broken = breachesOf(heard, { saved, listener });
      if (broken.length > 0) expect({ heard, broken }).toEqual({ broken: [] });
    });
    await fc.assert(property, { numRuns: RUNS.changesPerStream, seed: SEED });
  });
});

/** Bytes that mean something to a parser. */
const SYNTAX = Array.from('\n\r{}[]"\\:,-0e', (text) => new TextEncoder().encode(text));

/** Where the vendor begins to say why it stops: before that nothing is an answer. */
function endOf({ bytes }: SavedStream): number {
  const said = Buffer.from(bytes).toString('latin1');
  const reasons = /"(?:finish_reason|finishReason|stop_reason|blockReason)":"/g;
  return Math.max(...Array.from(said.matchAll(reasons), (match) => match.index));
}
