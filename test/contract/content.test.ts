import { expect, test } from 'vitest';
import type { RequestContent } from '../../src/core/content.ts';
import { type RequestId, requestId, userAccount } from '../../src/core/ids.ts';
import { epochMs } from '../../src/core/time.ts';
import type { ContentPort } from '../../src/ports/content.ts';
import { makeMemoryContent } from '../../src/store/memory/content.ts';
import { SILENT_LOG } from '../fakes/log.ts';
import { REPLICA } from '../support/gateway-kit.ts';
import { openTestStore } from '../support/open-test-store.ts';
import { SEED_REGISTRY } from '../support/registries.ts';
import { START_MS } from '../support/request-records.ts';
import { makeStoreDatabase } from '../support/store-database.ts';

const DAY_MS = 86_400_000;

function idOf(number: number): RequestId {
  return requestId(`00000000-0000-7000-8000-${String(number).padStart(12, '0')}`);
}

function contentAt(number: number, over: Partial<RequestContent> = {}): RequestContent {
  return { id: idOf(number), account: userAccount('ann'), prompt: `Q${number}`, answer: `A${number}`, ...over };
}

/** A store of contents whose time a test moves, counted in days since the start. */
async function openContents(kind: 'memory' | 'postgres', opened: AsyncDisposableStack) {
  if (kind === 'memory') {
    let now = START_MS;
    const contents: ContentPort = makeMemoryContent({ now: () => now });
    return {
      contents,
      moveTo: async (day: number) => {
        now = epochMs(START_MS + day * DAY_MS);
      },
    };
  }
  const database = opened.use(await makeStoreDatabase(START_MS));
  const contents: ContentPort = opened.use(
    await openTestStore({ kind, url: database.url, registry: SEED_REGISTRY, replica: REPLICA, log: SILENT_LOG }),
  );
  return { contents, moveTo: (day: number) => database.setClock(epochMs(START_MS + day * DAY_MS)) };
}

test.each(['memory', 'postgres'] as const)(
  '%s: what is kept is found until its time is over, not a moment longer',
  async (kind) => {
    await using opened = new AsyncDisposableStack();
    const { contents, moveTo } = await openContents(kind, opened);
    const first = contentAt(1);
    const unanswered = contentAt(2, { answer: null, prompt: 'with "quotes", \u{1F600} and\nlines' });
    await contents.keepContent(first, DAY_MS);
    await contents.keepContent(unanswered, 2 * DAY_MS);
    await contents.keepContent(contentAt(1, { prompt: 'said again' }), 9 * DAY_MS);
    expect([await contents.findContent(idOf(1)), await contents.findContent(idOf(2))]).toEqual([first, unanswered]);
    expect([await contents.findContent(idOf(3)), await contents.findContent(requestId('no-uuid'))]).toEqual([
      null,
      null,
    ]);
    await moveTo(1);
    expect([await contents.findContent(idOf(1)), await contents.findContent(idOf(2))]).toEqual([null, unanswered]);
  },
);

test.each(['memory', 'postgres'] as const)(
  '%s: what is over is deleted, at most as many as asked for, and nothing else',
  async (kind) => {
    await using opened = new AsyncDisposableStack();
    const { contents, moveTo } = await openContents(kind, opened);
    for (let number = 1; number <= 5; number += 1) await contents.keepContent(contentAt(number), DAY_MS);
    await contents.keepContent(contentAt(6), 3 * DAY_MS);
    expect(await contents.forgetContent(10)).toBe(0);
    await moveTo(2);
    expect([await contents.forgetContent(3), await contents.forgetContent(3), await contents.forgetContent(3)]).toEqual(
      [3, 2, 0],
    );
    expect(await contents.findContent(idOf(6))).toEqual(contentAt(6));
  },
);

test('postgres: text that it cannot hold is kept as near as can be', async () => {
  await using opened = new AsyncDisposableStack();
  const { contents } = await openContents('postgres', opened);
  await contents.keepContent(contentAt(1, { prompt: 'a\0b', answer: 'half \ud83d' }), DAY_MS);
  expect(await contents.findContent(idOf(1))).toMatchObject({ prompt: 'a\uFFFDb', answer: 'half \uFFFD' });
});

test('memory: past its limit the oldest goes', async () => {
  const contents = makeMemoryContent({ now: () => START_MS, charsMax: 8 });
  for (let number = 1; number <= 3; number += 1) await contents.keepContent(contentAt(number), DAY_MS);
  const found = await Promise.all([1, 2, 3].map((number) => contents.findContent(idOf(number))));
  expect(found).toEqual([null, contentAt(2), contentAt(3)]);
});
