import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeAccount } from '../../src/core/account.ts';
import { userAccount } from '../../src/core/ids.ts';
import { picoUsd } from '../../src/core/money.ts';
import type { ChatOutcome, Unanswered } from '../../src/core/outcome.ts';
import { formatOutcome, parseOutcome } from '../../src/core/outcome-text.ts';
import { FINISH_REASONS } from '../../src/core/prompt.ts';
import { endingsAt } from '../fakes/gateway-data.ts';
import { records, START_MS } from '../support/request-records.ts';

/** Anything a model can write: NUL, half a surrogate pair and all. */
const texts = fc.string({ unit: 'binary', maxLength: 20 });
const usages = records.filter(({ usage }) => usage !== null).map(({ usage }) => usage!);
const accounts = fc.record({ cap: fc.option(fc.bigInt({ min: 0n, max: 10n ** 18n })), posted: fc.bigInt({ min: 0n }) });
const ENDINGS: readonly Unanswered[] = Object.values(endingsAt(START_MS));

const answers: fc.Arbitrary<ChatOutcome> = fc
  .record({
    record: records,
    usage: usages,
    text: fc.option(texts),
    refusal: fc.option(texts),
    toolCalls: fc.array(fc.record({ id: texts, name: texts, arguments: texts }), { maxLength: 2 }),
    logprobs: fc.option(fc.constant({ content: [{ token: 'a', logprob: -0.5 }] })),
    warnings: fc.array(texts, { maxLength: 2 }),
    finishReason: fc.constantFrom(...FINISH_REASONS),
    account: fc.option(accounts),
    isReplayed: fc.boolean(),
  })
  .filter(({ record }) => record.provider !== null && record.model !== null)
  .map(({ record, usage, text, refusal, toolCalls, logprobs, warnings, finishReason, account, isReplayed }) => ({
    kind: 'answered',
    requestId: record.id,
    answer: { text, refusal, toolCalls, logprobs, finishReason, usage, warnings },
    provider: record.provider!,
    model: record.model!,
    usage,
    cost: record.cost,
    timing: record.timing,
    routing: record.routing,
    account:
      account === null
        ? null
        : {
            ...makeAccount(userAccount('ann'), START_MS),
            cap: account.cap === null ? null : picoUsd(account.cap),
            posted: picoUsd(account.posted),
          },
    warnings,
    isReplayed,
  }));

const endings: fc.Arbitrary<ChatOutcome> = fc
  .record({ record: records, why: fc.constantFrom(...ENDINGS) })
  .map(({ record: { id, routing, cost, timing }, why }) => ({
    kind: 'ended',
    requestId: id,
    why,
    routing,
    cost,
    timing,
  }));

test('an answer comes back as it was, to the pico-dollar and the last half of a character', () => {
  fc.assert(
    fc.property(answers, (outcome) => {
      expect(parseOutcome(formatOutcome(outcome))).toEqual(outcome);
    }),
  );
});

test('an ending without an answer comes back as it was, whichever it is', () => {
  fc.assert(
    fc.property(endings, (outcome) => {
      expect(parseOutcome(formatOutcome(outcome))).toEqual(outcome);
    }),
  );
});

test('the text holds nothing that a database could not keep', () => {
  fc.assert(
    fc.property(answers, (outcome) => {
      const text = formatOutcome(outcome);
      expect(text.includes('\0')).toBe(false);
      expect(text.isWellFormed()).toBe(true);
    }),
  );
});

test('a number that is none is found when it is written, not when it is told again', () => {
  const [outcome] = fc.sample(answers, 1);
  const timing = { totalMs: Number.NaN, timeToFirstTokenMs: null, upstreamMs: 0, overheadMs: 0 };
  expect(() => formatOutcome({ ...outcome!, timing })).toThrow(RangeError);
});

test.each(['', 'null', '{}', '{"kind":"answered"}', '{"kind":"forgotten"}'])('%j is no outcome', (text) => {
  expect(() => parseOutcome(text)).toThrow();
});

test('an answer that was kept before there were tools is read as one that called none', () => {
  const [answered] = fc.sample(answers, 1);
  const kept = formatOutcome(answered!).replace(/"toolCalls":.*?"finishReason"/s, '"finishReason"');
  expect(parseOutcome(kept)).toMatchObject({ answer: { toolCalls: [], logprobs: null } });
});
