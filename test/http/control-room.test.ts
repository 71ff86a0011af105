import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Page as BuiltPage } from '../../src/http/page.ts';
import { launchBrowser, openWatched } from '../support/browser.ts';
import { buildPage } from '../support/built-page.ts';
import { type RunningApp, startRealApp } from '../support/running-app.ts';
import { openWay } from '../support/way.ts';

// The page in a real browser, in front of the whole service. What is on it is found as people find it: by role and name.

const CHAT = `mutation Chat($prompt: String!) { chat(input: { prompt: $prompt, routing: { order: ["openai"] } }) {
  __typename ... on ChatSuccess { request { id } } } }`;
const OF_A_USER = `mutation Chat($prompt: String!, $userId: String!) {
  chat(input: { prompt: $prompt, userId: $userId }) { __typename } }`;
const VIEWPORT = { width: 1440, height: 900 };
const PATIENCE = { timeout: 15_000 };

let browser: Browser;
let built: BuiltPage;

beforeAll(async () => {
  [browser, built] = await Promise.all([launchBrowser(), buildPage()]);
});

afterAll(() => browser?.close());

function cardOf(page: Page, provider: RegExp): Locator {
  return page.getByRole('article', { name: provider });
}

/** Presses a button that asks before it does something, and confirms. */
async function press(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Confirm' }).click();
  await dialog.waitFor({ state: 'hidden' });
}

/** The state of its breaker, in a word. */
const says = (card: Locator, word: string) => card.getByText(word, { exact: true }).first().waitFor(PATIENCE);

async function breakOpenai(app: RunningApp): Promise<void> {
  for (let count = 0; count < 4; count += 1) {
    expect(await app.ask(CHAT, { prompt: 'Write a poem about trains' })).toMatchObject({
      data: { chat: { __typename: 'ChatSuccess' } },
    });
  }
}

/** Keeps what is seen, for the documents: CONTROL_ROOM_PICTURES=docs/images npx vitest run test/http/control-room.test.ts */
const { CONTROL_ROOM_PICTURES: folder } = process.env;

async function keepPictures(page: Page, name: string): Promise<void> {
  if (folder === undefined) return;
  // Budgets are read seldom.
  await page.getByText('spent', { exact: true }).first().waitFor(PATIENCE);
  for (const width of [VIEWPORT.width, 320]) {
    await page.setViewportSize({ ...VIEWPORT, width });
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `${folder}/control-room-${name}-${width}-${colorScheme}.png` });
    }
  }
  await page.setViewportSize(VIEWPORT);
}

/** Some people ask this and that, so that there is something to see. */
async function sendSome(app: RunningApp): Promise<void> {
  const asked = [
    'Write a poem about trains',
    'Fix this function: def f(x) return x',
    'Compare steam and diesel',
    'Good day',
  ];
  for (let count = 0; count < 16; count += 1) {
    const prompt = asked[count % asked.length];
    await app.ask(OF_A_USER, { prompt, userId: ['ann', 'bob', 'carol'][count % 3] });
  }
}

test('a breaker opens before the eyes of whoever simulates a failure, and closes by hand; a cut line mends itself', async () => {
  await using app = await startRealApp(built);
  await using way = await openWay(app.url);
  const { page, strangers, complaints } = await openWatched(browser, VIEWPORT);
  const sockets: string[] = [];
  page.on('websocket', (socket) => sockets.push(socket.url()));
  await page.goto(way.url);
  await expect.poll(() => page.getByRole('article').count(), PATIENCE).toBe(4);
  const openai = cardOf(page, /openai/i);
  await says(openai, 'CLOSED');
  // Nothing that is on the page now comes from another load of it.
  await page.evaluate('window.isFirstLoad = true');
  await sendSome(app);
  await page.getByText('carol').first().waitFor(PATIENCE);
  await keepPictures(page, 'before');

  await press(page, 'Simulate a failure of openai');
  await expect
    .poll(async () => (await app.ask('{ provider(id: "openai") { simulation { mode } } }')).data)
    .toMatchObject({ provider: { simulation: {} } });
  await breakOpenai(app);
  await says(openai, 'OPEN');
  await says(cardOf(page, /google/i), 'CLOSED');
  await keepPictures(page, 'after');
  await press(page, 'Reset the breaker of openai');
  await says(openai, 'CLOSED');
  expect(complaints).toEqual([]);
  expect(sockets).toEqual([new URL('graphql', way.url.replace('http', 'ws')).href]);

  await way.cut();
  await expect.poll(() => page.locator('body').innerText(), PATIENCE).toMatch(/lost/i);
  // The page cannot know of it, until the line is mended.
  await breakOpenai(app);
  await says(openai, 'CLOSED');
  await way.mend();
  await says(openai, 'OPEN');
  expect(await page.evaluate('window.isFirstLoad')).toBe(true);
  // Of all that may be complained of, only the line was.
  expect(complaints.filter((complaint) => !complaint.includes('WebSocket connection to'))).toEqual([]);
  expect(strangers).toEqual([]);
  await page.close();
});

const LOAD = { seconds: 3, perSecond: 60 } as const;
/** What one frame may work, by the CPU time of the page's main thread, so that a busy machine does not count: a 60th of a second. */
const FRAME_MS_MAX = 1_000 / 60;
/** By the clock, what tasks of more than 50 ms may take beyond those in one second. On a quiet machine it is 2 ms; two busy cores have their share in it. */
const BLOCKED_MS_MAX = 300;

test('sixty chats a second do not make the page stutter', async () => {
  await using app = await startRealApp(built);
  const { page, complaints } = await openWatched(browser, VIEWPORT);
  let told = 0;
  page.on('websocket', (socket) => socket.on('framereceived', () => (told += 1)));
  await page.goto(app.url);
  await says(cardOf(page, /openai/i), 'CLOSED');
  const watch = await watchWork(page);
  const startedAtMs = performance.now();
  const chats: Promise<unknown>[] = [];
  for (let count = 0; count < LOAD.seconds * LOAD.perSecond; count += 1) {
    // Each at its time, however long the others take.
    const waitMs = startedAtMs + (count * 1_000) / LOAD.perSecond - performance.now();
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, waitMs)));
    chats.push(app.ask(CHAT, { prompt: `Write poem ${count}` }));
  }
  await Promise.all(chats);
  const { seconds, workedMs, frames, blockedMs } = await watch.end();
  expect(told).toBeGreaterThan(LOAD.seconds * LOAD.perSecond);
  const figures = `${told} messages, ${frames} frames in ${seconds} s, ${workedMs} ms of work, ${blockedMs} ms blocked`;
  expect(workedMs / frames, figures).toBeLessThan(FRAME_MS_MAX);
  expect(blockedMs / seconds, figures).toBeLessThan(BLOCKED_MS_MAX);
  expect(complaints).toEqual([]);
  await page.close();
});

/** Watches how hard the page's main thread works. */
async function watchWork(page: Page) {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const workedMs = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0) * 1_000;
  };
  await page.evaluate(WATCH);
  const before = { workedMs: await workedMs(), atMs: performance.now() };
  return {
    async end() {
      const seen: { frames: number; blockedMs: number } = await page.evaluate('window.seen');
      const seconds = (performance.now() - before.atMs) / 1_000;
      return { ...seen, seconds, workedMs: (await workedMs()) - before.workedMs };
    },
  };
}

/** Run in the page. */
const WATCH = `
  window.seen = { frames: 0, blockedMs: 0 };
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) seen.blockedMs += duration - 50;
  }).observe({ type: 'longtask' });
  (function count() { seen.frames += 1; requestAnimationFrame(count); })();
`;
