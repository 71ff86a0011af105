import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { startService } from '../support/running.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const RULES = join(ROOT, 'deploy', 'prometheus');
const Board = z.object({
  schemaVersion: z.number().min(39),
  templating: z.object({ list: z.array(z.object({ name: z.string(), type: z.string() })) }),
  panels: z.array(z.object({ title: z.string(), type: z.string(), targets: z.array(z.object({ expr: z.string() })) })),
});
const Alerts = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({
          alert: z.string(),
          expr: z.string(),
          labels: z.object({ severity: z.enum(['critical', 'warning', 'info']) }),
          annotations: z.object({ summary: z.string(), description: z.string(), runbook_url: z.string() }),
        }),
      ),
    }),
  ),
});

/** What Prometheus adds to every series. */
const OF_PROMETHEUS = ['instance', 'job'];

const board = Board.parse(JSON.parse(readFileSync(join(ROOT, 'deploy', 'grafana', 'switchyard.json'), 'utf8')));
const alerts = Alerts.parse(parse(readFileSync(join(RULES, 'alerts.yaml'), 'utf8'))).groups.flatMap(
  ({ rules }) => rules,
);

function promtool(...words: readonly string[]): string {
  try {
    return execFileSync('promtool', words, { cwd: RULES, encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new Error(
        'promtool is not in the PATH. It is part of Prometheus: on Debian, `apt-get install prometheus`.',
      );
    }
    throw error;
  }
}

/** Every metric that a service shows, with the labels that any of its series has. */
function metricsIn(text: string): ReadonlyMap<string, ReadonlySet<string>> {
  const metrics = new Map<string, Set<string>>();
  for (const [, name = '', labels = ''] of text.matchAll(/^([a-z_]\w*)(?:\{(.*)\})? \S+$/gm)) {
    const known = metrics.get(name) ?? new Set(OF_PROMETHEUS);
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) known.add(label);
    metrics.set(name, known);
  }
  return metrics;
}

/** The metrics that a query names, each with the labels it is asked by, and those that the query groups by. */
function wordsOf(query: string) {
  const named = query.matchAll(/\b([a-z]+_[a-z0-9_]*[a-z0-9])\b(?:\{([^}]*)\})?(?=[^(\w]|$)/g);
  const metrics = Array.from(named, ([, name = '', labels = '']) => ({
    name,
    labels: Array.from(labels.matchAll(/(\w+)\s*(?:=~|!=|=|!~)/g), ([, label = '']) => label),
  })).filter(
    ({ name }) =>
      /^(switchyard|gen_ai|http|process|nodejs)_/.test(name) &&
      !/^(gen_ai_(provider|request|token)_\w+|http_(route|response_\w+))$/.test(name),
  );
  const groups = Array.from(query.matchAll(/\b(?:by|on) \(([^)]*)\)/g), ([, list = '']) => list.split(', '));
  return { metrics, groups: groups.flat() };
}

test('rules and board ask only for what a service shows that has served, failed over, refused and streamed', async () => {
  await using service = await startService({ STORE: 'memory' });
  const chat = (fields: string) => service.ask(`mutation { chat(input: { prompt: "Hi", ${fields} }) { __typename } }`);
  await service.ask('mutation { simulateFailure(input: { providerId: "openai", mode: ERROR }) { __typename } }');
  await service.ask('mutation { setBudget(input: { userId: "poor", limitUsd: "0" }) { __typename } }');
  // Three failures open the breaker.
  for (let count = 0; count < 3; count += 1) await chat('routing: { order: ["openai"] }');
  await chat('userId: "poor"');
  await fetch(`${service.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-stainless-retry-count': '1', 'x-stainless-lang': 'js' },
    body: JSON.stringify({ model: 'auto', stream: true, messages: [{ role: 'user', content: 'Hi, tell me a story' }] }),
  }).then((response) => response.text());
  const shown = async () => metricsIn(await (await fetch(`${service.url}/metrics`)).text());
  // Breakers are looked at every five seconds.
  await expect
    .poll(async () => (await shown()).has('switchyard_breaker_transitions_total'), { timeout: 20_000 })
    .toBe(true);
  const metrics = await shown();

  const queries = [
    ...alerts.map(({ alert, expr }) => ({ of: alert, expr })),
    ...board.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ of: title, expr }))),
  ];
  const unknown = queries.flatMap(({ of, expr }) => {
    const asked = wordsOf(expr);
    // That a target can be read at all is a metric of Prometheus itself.
    if (asked.metrics.length === 0 && !/^up\{/.test(expr)) return [`${of}: no metric at all`];
    const known = asked.metrics.map(({ name }) => metrics.get(name) ?? new Set<string>());
    return [
      ...asked.metrics.flatMap(({ name, labels }, index) => [
        ...(metrics.has(name) ? [] : [`${of}: ${name}`]),
        ...labels.filter((label) => !known[index]?.has(label)).map((label) => `${of}: ${name}{${label}}`),
      ]),
      ...asked.groups
        .filter((label) => !known.some((labels) => labels.has(label)))
        .map((label) => `${of}: by ${label}`),
    ];
  });
  expect(unknown).toEqual([]);
});

test('a query is read with its metrics, the labels it asks them by, and those it groups by', () => {
  expect(wordsOf('sum by (door, x) (rate(switchyard_nothing_total{door="a",y=~"b"}[5m])) > up')).toEqual({
    metrics: [{ name: 'switchyard_nothing_total', labels: ['door', 'y'] }],
    groups: ['door', 'x'],
  });
});

test('promtool takes the rules and the example, and the rules do what their tests say', () => {
  expect(promtool('check', 'rules', 'alerts.yaml')).toContain(`SUCCESS: ${alerts.length} rules found`);
  // The key's file is only there in the container.
  promtool('check', 'config', '--syntax-only', 'prometheus.yaml');
  promtool('test', 'rules', 'alerts.test.yaml');
});

test('every alert says how bad it is and where the document has what to do, and the document lists them all', () => {
  const text = readFileSync(join(ROOT, 'docs', 'operations.md'), 'utf8');
  const anchors = Array.from(text.matchAll(/^##+ (.*)$/gm), ([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
  const rows = Array.from(
    text.matchAll(/^\| `(Switchyard\w+)` \| (\w+) \| \[.*\]\(#([\w-]+)\) \|$/gm),
    ([, ...row]) => row,
  );
  expect(rows).toEqual(
    alerts.map(({ alert, labels, annotations }) => [alert, labels.severity, annotations.runbook_url.split('#')[1]]),
  );
  expect(rows.map(([, , anchor]) => anchor).filter((anchor) => !anchors.includes(anchor ?? ''))).toEqual([]);
});

test('the board lets its reader choose the Prometheus it asks', () => {
  expect(board.templating.list).toContainEqual({ name: 'datasource', type: 'datasource' });
  expect(board.panels.map(({ type }) => type)).toContain('state-timeline');
});
