import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createSocketClient } from 'graphql-ws';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from '../support/eventually.ts';
import { startService } from '../support/running.ts';
import { makeDatabase } from '../support/store-database.ts';

// Two processes on one PostgreSQL, watched by clients as they come from npm. What is watched happens on the other process.

const BUDGETS = `subscription { budgetEvents(userId: "ann") { kind budget { spentUsd } } }`;
const TICKS = `subscription { analyticsTicks(every: "PT0.25S") { at inFlight burnUsdPerHour
  totals { requests refused } providers { provider { key health } metrics { requests } } } }`;
const SET = `mutation { setBudget(input: { userId: "ann", limitUsd: "0.0002" }) { __typename } }`;
const RAISE = `mutation { setBudget(input: { userId: "ann", limitUsd: "1" }) { __typename } }`;
const CHAT = `mutation { chat(input: { prompt: "Write a short poem about trains", userId: "ann" }) { __typename } }`;
/** Two processes are started. */
const PATIENCE_MS = 120_000;

interface BudgetEvent {
  readonly kind: string;
  readonly budget: { readonly spentUsd: string };
}

interface AnalyticsTick {
  readonly at: string;
  readonly inFlight: number;
  readonly burnUsdPerHour: string;
  readonly totals: { readonly requests: number; readonly refused: number };
  readonly providers: readonly { readonly provider: { readonly health: string } }[];
}

interface Subscribing {
  subscribe(
    payload: { query: string },
    sink: { next(result: unknown): void; error(error: unknown): void; complete(): void },
  ): () => void;
}

function follow<Item>(client: Subscribing, query: string, field: string) {
  const items: Item[] = [];
  const next = (result: unknown) => {
    const { data } = result as { data?: Record<string, Item> };
    if (data?.[field] !== undefined) items.push(data[field]);
  };
  const leave = client.subscribe({ query }, { next, error: () => undefined, complete: () => undefined });
  return { items, leave };
}

test(
  'stock clients of one replica are told of the spending and the refusals of another, and draw what all of them do',
  async () => {
    await using opened = new AsyncDisposableStack();
    const { url } = opened.use(await makeDatabase());
    const here = opened.use(await startService({ DATABASE_URL: url }));
    const there = opened.use(await startService({ DATABASE_URL: url }));
    expect(await here.ask(SET)).toMatchObject({ data: { setBudget: { __typename: 'SetBudgetSuccess' } } });

    const at = `${there.url}/graphql`;
    const socket = createSocketClient({ url: at.replace('http', 'ws'), webSocketImpl: WebSocket });
    const sse = createSseClient({ url: at });
    const clients = [socket, sse] as const;
    const budgets = clients.map((client) => follow<BudgetEvent>(client, BUDGETS, 'budgetEvents'));
    const ticks = clients.map((client) => follow<AnalyticsTick>(client, TICKS, 'analyticsTicks'));
    await eventually(() => [...budgets, ...ticks].every(({ items }) => items.length > 0));

    expect(await here.ask(CHAT)).toMatchObject({ data: { chat: { __typename: 'ChatSuccess' } } });
    await eventually(() => budgets.every(({ items }) => items.length > 1));
    expect(await here.ask(CHAT)).toMatchObject({ data: { chat: { __typename: 'BudgetExceededError' } } });
    await eventually(() => budgets.every(({ items }) => items.length > 2));
    await here.ask(RAISE);
    await eventually(() => budgets.every(({ items }) => items.length > 3));
    for (const { items } of budgets) {
      expect(items).toEqual([
        { kind: 'SNAPSHOT', budget: { spentUsd: '0.00' } },
        { kind: 'REACHED_50_PERCENT', budget: { spentUsd: '0.00012' } },
        { kind: 'REFUSED', budget: { spentUsd: '0.00012' } },
        { kind: 'CHANGED', budget: { spentUsd: '0.00012' } },
      ]);
    }

    await eventually(() => ticks.every(({ items }) => items.at(-1)?.totals.requests === 2));
    for (const { items } of ticks) {
      expect(items.at(-1)).toMatchObject({ inFlight: 0, burnUsdPerHour: '0.0072', totals: { refused: 1 } });
      expect(items.at(-1)?.providers.every(({ provider }) => provider.health === 'HEALTHY')).toBe(true);
      const times = items.map((tick) => Date.parse(tick.at));
      expect(times).toEqual([...new Set(times)].toSorted((one, other) => one - other));
    }
    for (const { leave } of [...budgets, ...ticks]) leave();
    await socket.dispose();
    sse.dispose();
  },
  PATIENCE_MS,
);
