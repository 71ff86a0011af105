import { parse, validate } from 'graphql';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';
import { GRAPHIQL_TABS } from '../../src/http/graphiql-tabs.ts';
import { launchBrowser, openWatched } from '../support/browser.ts';
import { ask, startService } from './running-server.ts';

const TAB_NAMES = ['Chat', 'RoutePreview', 'Providers', 'Analytics', 'BreakerEvents'];

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(() => browser?.close());

/** Opens GraphiQL with every address but our own out of reach. */
async function openPage(url: string) {
  const { page, strangers, complaints } = await openWatched(browser, { width: 1600, height: 1000 });
  await page.goto(`${url}/graphql`);
  await page.locator('.graphiql-tab').first().waitFor();
  return { page, strangers, complaints };
}

/** What a person reads, in one line: the editor breaks long ones. */
async function textOf(element: Locator): Promise<string> {
  return (await element.innerText()).replace(/\s+/g, ' ');
}

async function openTab(page: Page, index: number): Promise<void> {
  // Not by mouse: GraphiQL takes a press for the start of a drag while its tabs still move.
  await page.locator('.graphiql-tab-button').nth(index).dispatchEvent('click');
  await expect.poll(() => textOf(page.locator('.graphiql-query-editor'))).toContain(`${TAB_NAMES[index]}(`);
}

/** How long a press may take to show its answer before it is pressed again, and how often it is. */
const PRESS = { waitMs: 3_000, timesMax: 5 } as const;

/** Presses the button until the answer is there: just after a tab was opened, GraphiQL may still run the last one's operation. */
async function runUntil(page: Page, isAnswered: () => Promise<boolean>): Promise<void> {
  for (let times = 1; times <= PRESS.timesMax; times += 1) {
    await page.locator('.graphiql-execute-button').click();
    const isThere = await expect
      .poll(isAnswered, { timeout: PRESS.waitMs })
      .toBe(true)
      .then(
        () => true,
        () => false,
      );
    if (isThere) return;
  }
  throw new Error(`no answer after ${PRESS.timesMax} presses`);
}

test('GraphiQL opens with five ready tabs and answers, with the rest of the world out of reach', async () => {
  await using service = await startService();
  const { page, strangers, complaints } = await openPage(service.url);
  expect(await page.title()).toBe('Switchyard GraphiQL');
  const tabs = page.locator('.graphiql-tab-button');
  await expect.poll(() => tabs.allInnerTexts()).toEqual(TAB_NAMES);

  await page.locator('.graphiql-execute-button').click();
  const answer = page.locator('.graphiql-response');
  await expect.poll(() => textOf(answer)).toContain('echo: Write a haiku about railway switches.');
  expect(service.gateway.records).toHaveLength(1);
  // For docs/graphql.md: GRAPHIQL_SCREENSHOT=docs/images/graphiql.png npx vitest run test/http/graphiql.test.ts
  const { GRAPHIQL_SCREENSHOT: path } = process.env;
  if (path !== undefined) await page.screenshot({ path });

  for (const [index, field] of ['routePreview', 'providers', 'analytics'].entries()) {
    await openTab(page, index + 1);
    await runUntil(page, async () => (await textOf(answer)).includes(`"data": { "${field}"`));
  }
  expect(strangers).toEqual([]);
  expect(complaints).toEqual([]);
  await page.close();
});

test('the last tab watches breakers live, over WebSocket', async () => {
  await using service = await startService();
  const { page, complaints } = await openPage(service.url);
  const socket = page.waitForEvent('websocket');
  await openTab(page, 4);
  const answer = page.locator('.graphiql-response');
  await runUntil(page, async () => (await textOf(answer)).includes('SNAPSHOT'));
  expect((await socket).url()).toBe(`ws://127.0.0.1:${service.port}/graphql`);
  service.gateway.change('google', {});
  await expect.poll(() => textOf(answer)).toContain('bev_000000000001');
  expect(complaints).toEqual([]);
  await page.close();
});

test('every example is a complete document that this schema takes, and runs with its variables', async () => {
  await using service = await startService();
  for (const { query, variables } of GRAPHIQL_TABS) {
    expect(validate(schema, parse(query))).toEqual([]);
    if (query.includes('subscription')) continue;
    const { errors } = await ask(service, query, JSON.parse(variables));
    expect(errors).toEqual([]);
  }
});

test('the page is sent small, once, and under a policy that names its one script', async () => {
  await using service = await startService();
  const load = (headers: Record<string, string>) =>
    fetch(`${service.url}/graphql`, { headers: { accept: 'text/html', ...headers } });
  const plain = await (await load({ 'accept-encoding': 'identity' })).text();
  const small = await load({ 'accept-encoding': 'gzip, br' });
  expect(small.headers.get('content-encoding')).toBe('br');
  expect(Number(small.headers.get('content-length'))).toBeLessThan(2_500_000);
  expect(small.headers.get('content-security-policy')).toMatch(
    /default-src 'none'; script-src 'sha256-[^']+'; worker-src blob:/,
  );
  // fetch has unpacked both.
  expect(await small.text()).toBe(plain);
  expect(await (await load({ 'accept-encoding': 'gzip' })).text()).toBe(plain);
  const again = await load({ 'if-none-match': String(small.headers.get('etag')) });
  expect(again.status).toBe(304);
});
