import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import type { SceneName } from './scenes.ts';

const ROOT = join(import.meta.dirname, 'stage');
const ORIGIN = 'http://stage.invalid';

/** As strict as the policy that the real page is sent with. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const TYPES: Readonly<Record<string, string>> = { html: 'text/html', js: 'text/javascript', css: 'text/css' };

type Bundle = ReadonlyMap<string, string>;

/** The view with its scenes, as it would be served: file by file, nothing on disk. */
export async function buildStage(): Promise<Bundle> {
  const built = await build({
    root: ROOT,
    configFile: false,
    logLevel: 'warn',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: { write: false, assetsInlineLimit: 0, modulePreload: { polyfill: false }, reportCompressedSize: false },
  });
  if (!('output' in built)) throw new TypeError('vite built more than one bundle');
  return new Map(
    built.output.map((file) => [
      file.fileName,
      file.type === 'chunk' ? file.code : Buffer.from(file.source).toString(),
    ]),
  );
}

export interface StagePage extends AsyncDisposable {
  readonly page: Page;
  /** What the browser's console called an error: breaches of the policy among them. */
  readonly complaints: readonly string[];
}

/** The page in a browser of its own, with nothing but the stage within reach. It begins with a scene, and plays others. */
export async function openStage(
  { browser, bundle }: { readonly browser: Browser; readonly bundle: Bundle },
  scene: SceneName = 'calm',
): Promise<StagePage> {
  const context = await browser.newContext({ timezoneId: 'UTC', reducedMotion: 'reduce' });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.route('**', (route) => {
    const { origin, pathname } = new URL(route.request().url());
    const name = pathname === '/' ? 'index.html' : pathname.slice(1);
    const body = origin === ORIGIN ? bundle.get(name) : undefined;
    if (body === undefined) return route.fulfill({ status: 404, body: '' });
    const contentType = TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'text/plain';
    return route.fulfill({ body, contentType, headers: { 'content-security-policy': POLICY } });
  });
  await page.goto(`${ORIGIN}/?scene=${scene}`);
  await page.locator('#main').waitFor();
  return { page, complaints, [Symbol.asyncDispose]: () => context.close() };
}
