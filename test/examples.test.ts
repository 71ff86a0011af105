import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Service, startService } from './support/running.ts';

const FOLDER = fileURLToPath(new URL('../examples', import.meta.url));
const RUN_MS = 60_000;
const MOCK_TEXT = /Mock response from (openai|google|anthropic|groq): Write a haiku about railways\.\.\./;

/** What each must print, besides ending well. */
const PRINTED: Readonly<Record<string, readonly RegExp[]>> = {
  'curl.sh': [
    /"data":\{"chat":\{"content":"Mock response/,
    /event: next[\s\S]*"totalUsd"[\s\S]*event: complete/,
    /"object":"chat.completion"/,
    /"choices":\[\],"usage":\{"prompt_tokens"[\s\S]*data: \[DONE\]/,
  ],
  'openai-sdk.ts': [
    /^answer: Mock response/m,
    /cost in USD: 0\.0+\d/,
    /^why: .+ answered a writing prompt/m,
    MOCK_TEXT,
    /^usage: .*"cost":/m,
    /^tool calls: \[\{.*"name":"weather"/m,
    /^error: 400 invalid_input \| .*no model answers to "no-such-model"/m,
  ],
  'ai-sdk.ts': [/^answer: Mock response/m, MOCK_TEXT, /^tokens: \d+$/m, /^tool calls: weather$/m],
  'graphql-ws.ts': [/^why: /m, MOCK_TEXT, /^cost in USD: 0\.0+\d/m],
  'urql.ts': [/^budget: .*"limitUsd":"0.50"/m, /"__typename": "ChatSuccess"/, /"reason"|"rank": 1/],
  'wscat.sh': [/"connection_ack"/, /"breakerEvents":\{[^}]*\},"to":"CLOSED","snapshot":true/, /"ChatCompleted"/],
};

let service: Service;
beforeAll(async () => {
  service = await startService({ STORE: 'memory' });
});
afterAll(() => service[Symbol.asyncDispose]());

test('every example is run here', () => {
  const programs = readdirSync(FOLDER).filter((name) => name !== 'README.md');
  expect(Object.keys(PRINTED).toSorted()).toEqual(programs.toSorted());
});

for (const [name, printed] of Object.entries(PRINTED)) {
  // Who types by hand has 3 s to open a connection that is there: a machine that stands still for so long may miss that.
  const retry = name === 'wscat.sh' ? 2 : 0;
  test(`${name} does what it shows`, { timeout: RUN_MS, retry }, async () => {
    const program = name.endsWith('.sh') ? 'bash' : process.execPath;
    const env = { ...process.env, SWITCHYARD_URL: service.url, NO_COLOR: '1' };
    const { stdout } = await promisify(execFile)(program, [`${FOLDER}/${name}`], { env, timeout: RUN_MS });
    for (const expected of printed) expect(stdout).toMatch(expected);
  });
}
