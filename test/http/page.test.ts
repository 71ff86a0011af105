import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { ASSETS_PATH, type Page } from '../../src/http/page.ts';
import { readPage } from '../../src/wiring/read-page.ts';
import { buildPage } from '../support/built-page.ts';
import { raw } from './raw.ts';
import { startService } from './running-server.ts';

/** The whole page as a browser gets it for the first time, compressed by gzip. */
const GZIP_BYTES_MAX = 60_000;
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const HTML = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

let page: Page;
beforeAll(async () => {
  page = await buildPage();
});

test('the whole page is small', () => {
  const bytes = [...page.files.values()].reduce((sum, { gzip }) => sum + gzip.length, 0);
  expect(bytes).toBeLessThan(GZIP_BYTES_MAX);
});

test('a browser gets the page at /, under a policy that lets nothing in; a program gets JSON', async () => {
  await using service = await startService({ page });
  const answer = await raw(service, { method: 'GET', path: '/', headers: HTML });
  expect(answer).toMatchObject({
    status: 200,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': POLICY,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-cache',
      vary: 'accept, accept-encoding',
    },
  });
  // The policy allows neither: a page that has them would not work.
  expect(answer.text).not.toMatch(/<script(?![^>]* src=)|<style|\sstyle=|\son\w+=/);
  const forPrograms = await raw(service, { method: 'GET', path: '/', headers: { accept: '*/*' } });
  expect(forPrograms.headers).toMatchObject({ 'content-type': 'application/json; charset=utf-8', vary: 'accept' });
  expect(JSON.parse(forPrograms.text)).toMatchObject({ service: 'switchyard', graphql: '/graphql' });
});

test('the page names only parts that are served, to be kept for good', async () => {
  await using service = await startService({ page });
  const { text } = await raw(service, { method: 'GET', path: '/', headers: HTML });
  const named = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? '');
  expect(named.length).toBeGreaterThan(0);
  // A part that is of another version is not there: then this stays, instead of nothing.
  expect(text).toContain('load the page again');
  for (const path of named) {
    expect(path).toMatch(new RegExp(`^${ASSETS_PATH}[\\w-]+\\.(?:js|css|svg)$`));
    const part = await raw(service, { method: 'GET', path });
    expect(part.status, path).toBe(200);
    expect(part.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(part.headers['x-content-type-options']).toBe('nosniff');
  }
});

describe('a part', () => {
  const script = () => [...page.files].find(([path]) => path.endsWith('.js')) ?? ['', undefined];

  test('comes compressed as the browser wants it, and is the same in each form', async () => {
    await using service = await startService({ page });
    const [path, file] = script();
    const load = async (encoding: string) => {
      const answer = await fetch(`${service.url}${path}`, { headers: { 'accept-encoding': encoding } });
      return { encoding: answer.headers.get('content-encoding'), text: await answer.text() };
    };
    const text = file?.plain.toString();
    expect(await load('gzip, deflate, br, zstd')).toEqual({ encoding: 'br', text });
    expect(await load('gzip')).toEqual({ encoding: 'gzip', text });
    expect(await load('identity')).toEqual({ encoding: null, text });
    if (file === undefined) throw new RangeError('the page has no script');
    expect(brotliDecompressSync(file.brotli).equals(file.plain)).toBe(true);
    expect(gunzipSync(file.gzip).equals(file.plain)).toBe(true);
  });

  test('and the page are not sent again to whoever has them', async () => {
    await using service = await startService({ page });
    for (const [path, { etag }] of page.files) {
      const headers = { ...HTML, 'if-none-match': etag };
      const again = await raw(service, { method: 'GET', path, headers });
      expect([again.status, again.text, again.headers.etag]).toEqual([304, '', etag]);
      const changed = await raw(service, { method: 'GET', path, headers: { ...HTML, 'if-none-match': '"other"' } });
      expect(changed.status).toBe(200);
    }
  });

  test('is told of by HEAD without its body, and taken by no other method', async () => {
    await using service = await startService({ page });
    for (const [path] of page.files) {
      const head = await raw(service, { method: 'HEAD', path, headers: HTML });
      expect([head.status, head.text]).toEqual([200, '']);
      expect(Number(head.headers['content-length'])).toBeGreaterThan(0);
      const post = await raw(service, { method: 'POST', path, headers: HTML, body: '' });
      expect([post.status, post.headers.allow]).toEqual([405, 'GET, HEAD']);
    }
  });

  test.each([
    '/assets/none.js',
    '/assets/',
    '/assets/../documents.json',
    '/assets/..%2f..%2fpackage.json',
    '/assets/%2e%2e/%2e%2e/package.json',
    '/assets//etc/passwd',
    '/documents.json',
    '/index.html',
    '/assets/index.html.br',
  ])('that the page does not have is not found: %s', async (path) => {
    await using service = await startService({ page });
    const answer = await raw(service, { method: 'GET', path, headers: HTML });
    expect([answer.status, JSON.parse(answer.text).errors[0].extensions.code]).toEqual([404, 'NOT_FOUND']);
  });
});

test('the documents of the page are run by their ids wherever the page is, also where nothing else is run', async () => {
  await using service = await startService({ page, persisted: () => ({ texts: new Map(), areOnlyOnes: true }) });
  const id = [...page.documents].find(([, text]) => text.startsWith('query AllProviders'))?.[0];
  const ask = async (body: object) => {
    const headers = { 'content-type': 'application/json' };
    return JSON.parse((await raw(service, { headers, body: JSON.stringify(body) })).text);
  };
  expect(await ask({ documentId: id })).toMatchObject({ data: { providers: [{ key: 'openai' }, { key: 'google' }] } });
  expect(await ask({ query: '{ __typename }' })).toMatchObject({
    errors: [{ extensions: { code: 'PERSISTED_DOCUMENT_REQUIRED' } }],
  });
});

test('the page is served where keys are asked for, since nothing in it is secret', async () => {
  await using service = await startService({ page, auth: 'keys' });
  const answer = await raw(service, { method: 'GET', path: '/', headers: { ...HTML, host: 'gateway.example' } });
  expect(answer.status).toBe(200);
});

test('where the page is not built, browsers are told how to build it, and programs notice nothing', async () => {
  const read = await readPage('/nowhere');
  expect(read).toMatchObject({
    kind: 'missing',
    why: expect.stringMatching(/not built, "npm run build" does it: ENOENT/),
  });
  await using service = await startService({ page: null });
  const answer = await raw(service, { method: 'GET', path: '/', headers: HTML });
  expect([answer.status, answer.text]).toEqual([404, expect.stringContaining('npm ci && npm run build')]);
  expect((await raw(service, { method: 'GET', path: '/assets/a.js' })).status).toBe(404);
  expect((await raw(service, { method: 'GET', path: '/', headers: { accept: '*/*' } })).status).toBe(200);
});
