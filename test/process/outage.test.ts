import postgres from 'postgres';
import { expect, test } from 'vitest';
import { parseUsd } from '../../src/core/money.ts';
import { eventually } from '../support/eventually.ts';
import { type Service, startService } from '../support/running.ts';
import { makeDatabase } from '../support/store-database.ts';
import { openWay } from '../support/way.ts';

const CHAT = `mutation ($userId: String!) { chat(input: {prompt: "hello there", userId: $userId, maxOutputTokens: 50}) {
  __typename ... on ChatSuccess { cost { totalUsd } budget { spentUsd } } } }`;

interface Chatted {
  readonly __typename?: string;
  readonly cost?: { readonly totalUsd: string };
}

async function chat(service: Service, userId: string): Promise<Chatted> {
  const answer = await service.ask(CHAT, { userId });
  return answer.data?.chat ?? { __typename: JSON.stringify(answer.errors) };
}

async function modeOf(service: Service) {
  const { data } = await service.ask('{ gateway { storeMode } }');
  return data?.gateway;
}

test.each(['cut', 'swallow'] as const)(
  'while PostgreSQL is away (%s), who was active goes on, and all of it is on the books afterwards',
  async (how) => {
    await using stack = new AsyncDisposableStack();
    const { url } = stack.use(await makeDatabase());
    const sql = postgres(url, { max: 1, onnotice: () => undefined });
    stack.defer(() => sql.end());
    const way = stack.use(await openWay(url));
    const service = stack.use(
      await startService({ DATABASE_URL: way.url, OUTAGE_SLICE_USD: '0.04', STORE_TIMEOUT_MS: '1000' }),
    );
    const accountOf = async (user: string) =>
      (await sql`select posted::text, held::text from switchyard.account where key = ${`user:${user}`}`)[0];

    const chats = [await chat(service, 'ann')];
    await eventually(async () => (await accountOf('ann'))?.held === '40000000000');
    expect(await modeOf(service)).toEqual({ storeMode: 'NORMAL' });

    await way[how]();
    for (let count = 0; count < 6; count += 1) chats.push(await chat(service, 'ann'));
    expect(chats.map(({ __typename }) => __typename)).toEqual(Array(7).fill('ChatSuccess'));
    expect(await modeOf(service)).toEqual({ storeMode: 'SLICES' });
    const ready = await fetch(`${service.url}/readyz?verbose`);
    expect(ready.status).toBe(503);
    expect(await ready.text()).toMatch(/accounts that go on from their slices: 1.*"storeMode":"slices"/s);

    // The quickest of three: the tests' machine is busy.
    const tookMs: number[] = [];
    for (let count = 0; count < 3; count += 1) {
      const askedAtMs = performance.now();
      expect((await chat(service, 'bob')).__typename).toContain('STORE_UNAVAILABLE');
      tookMs.push(performance.now() - askedAtMs);
    }
    expect(Math.min(...tookMs)).toBeLessThan(300);
    expect(await accountOf('bob')).toBeUndefined();

    await way.mend();
    await eventually(async () => (await fetch(`${service.url}/readyz`)).status === 200);
    const spent = chats.reduce((sum, { cost }) => sum + (parseUsd(cost?.totalUsd ?? '') ?? 0n), 0n);
    await eventually(async () => (await accountOf('ann'))?.posted === spent.toString());
    await eventually(
      async () => Number((await sql`select count(*) from switchyard.request`)[0]?.count) === chats.length,
    );
    expect(await modeOf(service)).toEqual({ storeMode: 'NORMAL' });
    const changes = () => service.logged().flatMap(({ from, to }) => (from === undefined ? [] : [`${from} ${to}`]));
    await eventually(() => changes().join() === 'normal slices,slices normal');
    await service.end('SIGTERM');
    expect(await accountOf('ann')).toEqual({ posted: spent.toString(), held: '0' });
  },
  120_000,
);
