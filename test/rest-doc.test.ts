import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { ERROR_CODES } from '../src/core/outcome.ts';
import { EXPOSED_HEADERS } from '../src/http/rest/answer-headers.ts';
import { CHAT_SHAPE } from '../src/http/rest/chat-shape.ts';
import { PROVIDER_WISHES } from '../src/http/rest/provider-wishes.ts';
import { errorObjectOf, errorOfMasked, errorOfRefusal } from '../src/http/rest/rest-error.ts';
import { startService } from './support/running.ts';

const ROOT = join(import.meta.dirname, '..');
const PAGE = readFileSync(join(ROOT, 'docs/rest.md'), 'utf8');

function blockOf(language: string): string {
  return new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'ms').exec(PAGE)?.[1] ?? '';
}

/** Every name in the first cells of the table under this heading. */
function namesIn(heading: string): readonly string[] {
  const table = PAGE.slice(PAGE.indexOf(`| ${heading} |`)).split('\n\n', 1)[0] ?? '';
  const cells = table.split('\n').map((row) => row.split('|')[1] ?? '');
  return cells.flatMap((cell) => cell.match(/(?<=`)[\w.-]+/g) ?? []);
}

test('docs/rest.md shows an answer that its command really gets, but for its id and time', async () => {
  await using service = await startService({ STORE: 'memory' });
  const [, body = ''] = /-d '(.*)'\n$/s.exec(blockOf('sh')) ?? [];
  const response = await fetch(`${service.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  const ofOneRun = { id: null, created: null };
  expect({ ...JSON.parse(await response.text()), ...ofOneRun }).toEqual({
    ...JSON.parse(blockOf('json')),
    ...ofOneRun,
  });
});

test('docs/rest.md shows a program that really prints what it says', async () => {
  await using service = await startService({ STORE: 'memory' });
  const program = blockOf('js').replace('http://127.0.0.1:4000', service.url);
  const run = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { cwd: ROOT });
  expect(run.stdout).toBe(blockOf('text'));
});

test('docs/rest.md names every field that is taken, and every header that is answered', () => {
  const fields = Object.keys(CHAT_SHAPE.shape).map((name) =>
    name === 'stream_options' ? `${name}.include_usage` : name,
  );
  expect(namesIn('Field').toSorted()).toEqual(expect.arrayContaining(fields.toSorted()));
  expect(
    namesIn('Field of `provider`')
      .filter((name) => name !== 'provider')
      .toSorted(),
  ).toEqual(Object.keys(PROVIDER_WISHES.shape).toSorted());
  expect(namesIn('Header').toSorted()).toEqual(
    EXPOSED_HEADERS['access-control-expose-headers']?.split(', ').toSorted(),
  );
});

test('docs/errors.md has the status and the type that each code has over REST', () => {
  const page = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8');
  const rows = [...page.matchAll(/^\| (\d{3}) \| `(\w+)` \| (.*) \|$/gm)];
  const told = new Map(
    rows.flatMap(([, status, type, codes = '']) =>
      (codes.match(/(?<=`)[A-Z_]+(?=`)/g) ?? []).map((code) => [code, `${status} ${type}`] as const),
    ),
  );
  const refusal = { message: '', isRetryable: true, retryAfterMs: null };
  // Nothing that this door does can end like this.
  const ofOtherDoor = ['FEATURE_DISABLED'];
  const errors = [
    ...ERROR_CODES.filter((code) => !ofOtherDoor.includes(code)).map((code) => errorOfRefusal({ ...refusal, code })),
    ...(['INTERNAL', 'STORE_UNAVAILABLE', 'JOURNAL_UNAVAILABLE'] as const).map((code) =>
      errorOfMasked({ code, message: '', retryAfterMs: null }, 'req_1'),
    ),
  ];
  expect(errorOfRefusal({ ...refusal, isRetryable: false, code: 'ALL_PROVIDERS_FAILED' }).status).toBe(400);
  for (const error of errors)
    expect(told.get(error.code), error.code).toBe(`${error.status} ${errorObjectOf(error).type}`);
});
