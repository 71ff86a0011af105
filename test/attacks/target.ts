import { expect } from 'vitest';
import { type OpenService, openService } from '../http/rest/rest-kit.ts';
import { eventually } from '../support/eventually.ts';
import { makeModel, makeProvider } from '../support/registries.ts';

/** What no answer to an attack is longer than. */
export const REPLY_BYTES_MAX = 2_048;
/** Generous: attackers, honest callers and the service share one process here. */
const HONEST_MS_P99_MAX = 1_500;
const HONEST_EVERY_MS = 50;
const HONEST = 'honest';

const CHAT = `mutation { chat(input: { prompt: "${HONEST}", userId: "${HONEST}" }) { __typename } }`;

/** What came back of one attack. */
export interface Reply {
  /** Of HTTP, or the code a WebSocket was closed with. Null: a connection that was closed without a word. */
  readonly status: number | null;
  readonly text: string;
}

/** A service that is attacked while somebody honest uses it all the time. */
export interface Target extends AsyncDisposable {
  readonly service: OpenService;
  readonly port: number;
  /** After each attack: nothing was run, no money moved, the service lives, and the honest caller noticed nothing. */
  expectUnharmed(): Promise<void>;
  /** After all attacks: the honest caller was answered fast throughout. */
  expectHonestlyServed(): void;
}

export async function openTarget(): Promise<Target> {
  const model = makeModel('model', '1', { maxOutputTokens: 100 });
  const registry = {
    priceListVersion: 'attacks',
    providers: [makeProvider('one', [model], { requestsPerMinute: 10_000 })],
  };
  const patience = { headersMs: 1_000, requestMs: 2_000, checkEveryMs: 250 };
  const service = await openService({ registry }, { patience });
  const honest = startHonest(service);
  return {
    service,
    port: service.port,
    async expectUnharmed() {
      expect(strangersServedBy(service)).toEqual([]);
      expect((await fetch(`${service.url}/livez`)).status).toBe(200);
      // Reads are sent away first while a replica is busy: then once more.
      let payers: readonly string[] | null = null;
      await eventually(async () => {
        payers = await payersAt(service);
        return payers !== null;
      });
      expect(payers).toEqual([HONEST]);
      expect(honest.failures).toEqual([]);
    },
    expectHonestlyServed() {
      const sorted = honest.tookMs.toSorted((one, other) => one - other);
      expect(sorted.length).toBeGreaterThan(10);
      expect(sorted[Math.floor(sorted.length * 0.99)]).toBeLessThan(HONEST_MS_P99_MAX);
      expect(honest.failures).toEqual([]);
    },
    async [Symbol.asyncDispose]() {
      await honest.stop();
      await service[Symbol.asyncDispose]();
    },
  };
}

/** A chat each 50 ms, whatever happens. */
function startHonest({ url }: OpenService) {
  const tookMs: number[] = [];
  const failures: string[] = [];
  const running = new Set<Promise<void>>();
  const chat = async () => {
    const startedAtMs = performance.now();
    const answer = await ask(url, CHAT).catch((error: unknown) => String(error));
    tookMs.push(performance.now() - startedAtMs);
    if (!answer.includes('"ChatSuccess"')) failures.push(answer);
  };
  const timer = setInterval(() => {
    const one = chat().finally(() => running.delete(one));
    running.add(one);
  }, HONEST_EVERY_MS);
  return {
    tookMs,
    failures,
    async stop() {
      clearInterval(timer);
      await Promise.all(running);
    },
  };
}

/** What anybody but the honest caller was answered by a provider. */
function strangersServedBy({ kit }: OpenService): readonly string[] {
  const prompts = kit.provider('one').calls.map(({ prompt }) =>
    prompt.messages
      .flatMap(({ parts }) => parts)
      .map((part) => JSON.stringify(part))
      .join(),
  );
  return prompts.filter((text) => !text.includes(`"${HONEST}"`));
}

/** Null: not told now. */
async function payersAt({ url }: OpenService): Promise<readonly string[] | null> {
  const text = await ask(url, '{ budgets(first: 200) { nodes { userId spentUsd reservedUsd } } }');
  const { data } = JSON.parse(text);
  if (data === undefined) return null;
  return data.budgets.nodes
    .filter((budget: Record<string, string>) => Number(budget.spentUsd) + Number(budget.reservedUsd) > 0)
    .map((budget: Record<string, string>) => budget.userId);
}

async function ask(url: string, query: string): Promise<string> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query }) });
  return response.text();
}
