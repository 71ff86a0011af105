import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Capability } from '../../src/core/registry.ts';
import { costOfUsage, type TokenUsage } from '../../src/core/usage.ts';
import type { SdkKind } from '../../src/providers/vendor.ts';
import { callOf, MODEL_NAMES, makeProvider, modelNamed, openUpstream, sendJson } from './upstream.ts';

interface Fixture {
  /** What the payload shows. */
  readonly story: string;
  readonly kind: SdkKind;
  readonly capabilities: readonly Capability[];
  /** The provider's answer as it comes over the wire. */
  readonly response: unknown;
  readonly expected: TokenUsage;
}

const FOLDER = new URL('../fixtures/usage/', import.meta.url);

const FIXTURES = readdirSync(FOLDER).map((file): { readonly file: string; readonly fixture: Fixture } => ({
  file,
  fixture: JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')),
}));

describe('a provider’s token counts arrive as one shape, each token once', () => {
  test.each(FIXTURES)('$file: $fixture.story', async ({ fixture }) => {
    await using upstream = await openUpstream((response) => sendJson(response, fixture.response));
    const provider = await makeProvider(fixture.kind, upstream.url);
    const model = modelNamed(MODEL_NAMES[fixture.kind], { capabilities: fixture.capabilities });
    const result = await provider.call(callOf(fixture.kind, { model }), new AbortController().signal);
    if (result.kind !== 'answered') throw new Error(result.failure.message);
    expect(result.answer.usage).toEqual(fixture.expected);
    // Whatever came, it can be turned into money.
    expect(costOfUsage(result.answer.usage, model.price).total).toBeGreaterThan(0n);
  });
});
