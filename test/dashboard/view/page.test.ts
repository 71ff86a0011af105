import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchBrowser } from '../../support/browser.ts';
import { NOW_MS, OPEN, OPENAI, PROVIDERS } from './cast.ts';
import type { SceneName } from './scenes.ts';
import { buildStage, openStage, type StagePage } from './stage-browser.ts';
import './stage-window.ts';

let browser: Browser;
let stage: StagePage;
let page: Page;

beforeAll(async () => {
  const [opened, bundle] = await Promise.all([launchBrowser(), buildStage()]);
  browser = opened;
  stage = await openStage({ browser, bundle });
  page = stage.page;
});

afterAll(async () => {
  expect(stage.complaints).toEqual([]);
  await browser?.close();
});

async function play(scene: SceneName): Promise<void> {
  await page.evaluate((name) => window.stage.play(name), scene);
}

const done = () => page.evaluate(() => window.stage.done);
const hasFocus = (element: ReturnType<Page['locator']>) => element.evaluate((it) => it === document.activeElement);

/** What axe finds that is serious or worse. */
async function faultsNow(): Promise<readonly string[]> {
  return page.evaluate(async () => {
    const runOnly = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const { violations } = await axe.run(document, { runOnly, resultTypes: ['violations'] });
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`));
  });
}

describe('in either theme', () => {
  test.for(['light', 'dark'] as const)('nothing serious stands in the way of anybody: %s', async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    await page.evaluate(axe.source);
    for (const scene of ['broken', 'simulated', 'barred', 'locked', 'exhausted', 'why', 'answered'] as const) {
      await play(scene);
      expect([scene, ...(await faultsNow())]).toEqual([scene]);
    }
    await play('broken');
    const table = page.getByRole('button', { name: 'Latency percentiles' });
    await table.click();
    await page.getByRole('button', { name: 'Simulate a failure of openai' }).click();
    expect(await faultsNow()).toEqual([]);
    await page.keyboard.press('Escape');
    await table.click();
  });

  test('a choice of theme wins over the system, and is kept', async () => {
    await page.emulateMedia({ colorScheme: 'dark' });
    const floor = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const dark = await floor();
    await page.getByLabel('Theme').selectOption('light');
    const light = await floor();
    expect(light).not.toBe(dark);
    await page.reload();
    expect(await floor()).toBe(light);
    await page.getByLabel('Theme').selectOption('auto');
    expect(await floor()).toBe(dark);
  });
});

/** For a look at all of it: CONTROL_ROOM_SCREENSHOTS=/tmp/shots npx vitest run test/dashboard/view/page.test.ts */
const { CONTROL_ROOM_SCREENSHOTS: folder } = process.env;

async function keepPicture(name: string): Promise<void> {
  if (folder === undefined) return;
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `${folder}/${name}-${colorScheme}.png`, fullPage: true });
  }
}

describe('at any size', () => {
  test('nothing makes the page scroll sideways, and what is pressed is large enough', async () => {
    for (const width of [320, 768, 1440, 1920]) {
      await page.setViewportSize({ width, height: 800 });
      for (const scene of ['broken', 'large', 'why', 'simulated', 'answered'] as const) {
        await play(scene);
        const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect([width, scene, wider]).toEqual([width, scene, 0]);
        await keepPicture(`${scene}-${width}`);
      }
      const small = await page.evaluate(() =>
        [...document.querySelectorAll('button, select, textarea, .segments label, .row-link')]
          .map((element) => ({ text: element.textContent, box: element.getBoundingClientRect() }))
          .filter(({ box }) => box.width < 24 || box.height < 24)
          .map(({ text }) => text),
      );
      expect(small).toEqual([]);
    }
    await page.setViewportSize({ width: 1440, height: 900 });
  });
});

describe('by keyboard alone', () => {
  test('a failure is simulated, and Escape gives the focus back', async () => {
    await play('calm');
    const button = page.getByRole('button', { name: 'Simulate a failure of openai' });
    await page.locator('body').press('Tab');
    for (let presses = 0; presses < 20 && !(await hasFocus(button)); presses += 1) await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Simulate a failure of openai?' });
    await dialog.waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(await hasFocus(button)).toBe(true);

    await page.keyboard.press('Enter');
    await dialog.getByLabel('How it fails').selectOption('TIMEOUT');
    await dialog.getByLabel('For how long').selectOption('300');
    await dialog.getByRole('button', { name: 'Confirm' }).press('Enter');
    await dialog.waitFor({ state: 'detached' });
    expect(await done()).toEqual(['simulate "openai" {"mode":"TIMEOUT","durationS":300}']);
    expect(await hasFocus(button)).toBe(true);
  });

  test('the why of a request opens with Enter, has an address, and gives the focus back', async () => {
    await play('calm');
    const row = page.getByRole('row').nth(3).getByRole('link');
    await row.focus();
    await page.keyboard.press('Enter');
    const sheet = page.getByRole('dialog', { name: 'Why it went where it went' });
    await sheet.waitFor();
    expect(page.url()).toContain('#request/req_');
    expect(await sheet.getByRole('row', { name: /^1 anthropic/ }).innerText()).toContain('0.912');
    expect(await sheet.getByRole('row', { name: /openai/ }).innerText()).toContain('breaker open: its breaker is open');
    await page.keyboard.press('Escape');
    await sheet.waitFor({ state: 'detached' });
    expect(page.url()).not.toContain('#request');
    expect(await hasFocus(row)).toBe(true);
  });

  test('a barred button says why and does nothing; a key is asked for and handed on', async () => {
    await play('barred');
    const button = page.getByRole('button', { name: 'Simulate a failure of openai' });
    expect(await button.getAttribute('aria-disabled')).toBe('true');
    await page.getByRole('button', { name: 'Forget the key' }).waitFor();
    await button.press('Enter');
    expect(await page.getByRole('dialog').count()).toBe(0);
    const reason = page.locator(`#${await button.getAttribute('aria-describedby')}`);
    expect(await reason.innerText()).toContain('SIMULATIONS=on');

    await play('locked');
    await expect.poll(() => hasFocus(page.getByLabel('API key'))).toBe(true);
    await page.keyboard.type('sk-secret');
    await page.keyboard.press('Enter');
    expect(await done()).toEqual(['enterKey "sk-secret" "untilReload"']);
    // A link that was shared opens behind the gate.
    await page.evaluate(() => {
      location.hash = '#request/req_shared';
    });
    await play('calm');
    await expect.poll(done).toEqual(['select req_shared']);
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(() => page.evaluate(() => location.hash)).toBe('');
  });
});

describe('as it moves', () => {
  test('a change is told once, and the next ones together, five seconds later', async () => {
    await page.clock.install({ time: NOW_MS });
    await page.reload();
    const news = page.locator('#breaker-news');
    const show = (open: number) =>
      page.evaluate(
        ({ providers, breaker, count }) =>
          window.stage.show({ providers: providers.map((card, at) => (at < count ? { ...card, breaker } : card)) }),
        { providers: PROVIDERS, breaker: OPEN, count: open },
      );
    expect(await news.innerText()).toBe('');
    await show(1);
    await expect.poll(() => news.innerText()).toContain('OpenAI is open');
    await show(3);
    await page.clock.runFor(4_000);
    expect(await news.innerText()).not.toContain('Anthropic');
    await page.clock.runFor(1_001);
    expect(await news.innerText()).toMatch(/^Anthropic is open .+ Google is open/);
    expect(await page.getByRole('article', { name: 'OpenAI' }).innerText()).toContain('OPEN');
  });

  test('a countdown runs, and ends with what happens next', async () => {
    await play('oneOpen');
    const left = page.getByRole('article', { name: 'Anthropic' }).getByRole('timer');
    const at = (nowMs: number) => page.evaluate((ms) => window.stage.setNow(ms), nowMs);
    await expect.poll(() => left.innerText()).toBe('0:41');
    await at(NOW_MS + 30_000);
    await expect.poll(() => left.innerText()).toBe('0:11');
    await at(NOW_MS + 41_000);
    await expect.poll(() => left.innerText()).toBe('with the next request');
  });

  test('a picture that stands still is of the moment of the pause, also when the connection is lost', async () => {
    await play('paused');
    const band = page.getByText('What you see is how it stood at');
    const before = await band.innerText();
    await page.evaluate(
      (sinceMs) => window.stage.show({ connection: { kind: 'lost', sinceMs, retryAtMs: null } }),
      NOW_MS,
    );
    const after = 'Paused, and no connection to the gateway';
    await expect.poll(() => band.innerText()).toBe(before.replace('Paused', after));
  });

  test('nothing moves for who wants no motion', async () => {
    const motion = () => page.evaluate(() => getComputedStyle(document.querySelector('tbody tr')!).animationName);
    expect(await motion()).toBe('none');
    await page.emulateMedia({ reducedMotion: 'no-preference' });
    expect(await motion()).toBe('arrive');
    await page.emulateMedia({ reducedMotion: 'reduce' });
  });

  test('of many decisions only the new one is drawn, and not felt', async () => {
    await play('large');
    await page.getByRole('button', { name: 'Show 25 more' }).click();
    const seen = await page.evaluate(async (card) => {
      const it = window.stage;
      let rows = 0;
      const watcher = new MutationObserver((records) => {
        for (const { addedNodes, target } of records) if (target.nodeName === 'TBODY') rows += addedNodes.length;
      });
      watcher.observe(document.querySelector('.decision-table')!, { childList: true, subtree: true });
      const costs: number[] = [];
      for (let change = 0; change < 60; change += 1) {
        const { decisions, providers } = it.state();
        const begin = performance.now();
        it.show({
          decisions: [{ ...decisions[0]!, id: `req_${change}` }, ...decisions].slice(0, 200),
          providers: providers.map((old, at) => (at === 0 ? { ...card, trafficShare: change / 60 } : old)),
        });
        // Drawing waits for a microtask; reading a height afterwards makes the browser lay the page out.
        await Promise.resolve().then(() => null);
        document.body.getBoundingClientRect();
        costs.push(performance.now() - begin);
      }
      await Promise.resolve();
      return { rows, costMs: costs.toSorted((a, b) => a - b)[30]! };
    }, OPENAI);
    // One new row each time, and none of the others again.
    expect(seen.rows).toBe(60);
    // A few milliseconds where the machine is not shared. What takes longer than this is felt by who uses the page.
    expect(seen.costMs).toBeLessThan(50);
  });
});
