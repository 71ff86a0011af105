import { describe, expect, test } from 'vitest';
import type { ApiKey } from '../../src/core/api-key.ts';
import { type AccountKey, apiKeyId, type Holder } from '../../src/core/ids.ts';
import type { RawChat } from '../../src/core/raw-chat.ts';
import type { Scope } from '../../src/core/scope.ts';
import { type Caller, OPEN_CALLER } from '../../src/gateway/caller.ts';
import { keyed as makeKeyed } from '../support/callers.ts';
import { type GatewayKit, makeGatewayKit, quiet, usd } from '../support/gateway-kit.ts';
import { follow, hold, makeHub, refuse, watchFor } from './budget-watching.ts';
import { PRICED } from './priced-registry.ts';

const ANN: Holder = { level: 'user', id: 'ann' };
const KEY: Holder = { level: 'key', id: 'first' };
const TEAM: Holder = { level: 'team', id: 'red' };

/** The second key of its line. */
function keyed(of: Partial<ApiKey>, scopes: readonly Scope[] = ['chat']): Caller {
  return makeKeyed(scopes, { id: apiKeyId('second'), line: apiKeyId(KEY.id), ...of });
}

const OF_ANN = keyed({ userId: 'ann', teamId: TEAM.id });
const LONE = keyed({});

/** Five tokens of input at $1 and a hundred of output at $10, per million: 0.001005 USD are held. */
const HUNDRED: RawChat = { prompt: 'hello', maxOutputTokens: 100, routing: { sort: 'price', only: ['a'] } };

const callOf = (kit: GatewayKit, caller: Caller, raw: RawChat = HUNDRED) => ({ ...kit.callOf(raw), caller });

async function chat(kit: GatewayKit, caller: Caller, raw: RawChat = HUNDRED) {
  const outcome = await kit.gateway.chat(callOf(kit, caller, raw));
  if (outcome.kind === 'notRun') throw new RangeError(outcome.why.message);
  return outcome;
}

const limit = (kit: GatewayKit, holder: Holder, amount: string) =>
  kit.gateway.setBudget({ holder, limit: usd(amount), period: 'total', resetUsage: false }, OPEN_CALLER);

async function postedTo(kit: GatewayKit, ...keys: readonly string[]) {
  return (await kit.store.accountsOf(keys as readonly AccountKey[])).map(({ posted, held }) => ({ posted, held }));
}

describe('a key that acts for others', () => {
  const PROXY = keyed({}, ['chat', 'chat:on-behalf-of']);
  const forUser = (userId: string): RawChat => ({ ...HUNDRED, userId });

  test('bills nobody it names before it has a budget of its own, and the preview says the same', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    const refused = { kind: 'invalidInput', message: expect.stringContaining('setBudget(level: KEY)') };
    for (const userId of ['invented-1', 'invented-2']) {
      expect(await kit.gateway.preview(callOf(kit, PROXY, forUser(userId)))).toMatchObject({ blockedBy: refused });
      expect(await kit.gateway.chat(callOf(kit, PROXY, forUser(userId)))).toMatchObject({
        kind: 'notRun',
        why: refused,
      });
    }
    expect(kit.provider('a').calls).toHaveLength(0);
    expect((await chat(kit, PROXY)).kind).toBe('answered');
    const ofAnn = keyed({ userId: 'ann' }, ['chat', 'chat:on-behalf-of']);
    expect((await chat(kit, ofAnn, forUser('ann'))).kind).toBe('answered');
  });

  test('stops at it, however many users it names', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    await limit(kit, KEY, '0.0025');
    kit
      .provider('a')
      .script(
        { kind: 'answer', inputTokens: 5, outputTokens: 100 },
        { kind: 'answer', inputTokens: 5, outputTokens: 100 },
      );
    const outcomes = [];
    for (const userId of ['invented-1', 'invented-2', 'invented-3', 'invented-4']) {
      outcomes.push(await chat(kit, PROXY, forUser(userId)));
    }
    expect(outcomes.map(({ kind }) => kind)).toEqual(['answered', 'answered', 'ended', 'ended']);
    expect(outcomes[3]).toMatchObject({ why: { kind: 'budgetExceeded', account: { key: 'key:first' } } });
  });
});

describe('a request of a user’s key in a team', () => {
  test('is paid by all three, each the whole of it', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    kit.provider('a').script({ kind: 'answer', inputTokens: 5, outputTokens: 100 });
    expect(await chat(kit, OF_ANN)).toMatchObject({ kind: 'answered', account: { key: 'user:ann' }, warnings: [] });
    const paid = { posted: usd('0.001005'), held: 0n };
    expect(await postedTo(kit, 'user:ann', 'key:first', 'team:red')).toEqual([paid, paid, paid]);
  });

  test.each([
    ['user', ANN, 'The budget cannot cover'],
    ['key', KEY, 'The budget of the key cannot cover'],
    ['team', TEAM, 'The budget of the team cannot cover'],
  ] as const)('is refused where the %s cannot pay, and the preview says the same', async (_level, holder, message) => {
    await using kit = makeGatewayKit({ registry: PRICED });
    await limit(kit, holder, '0.001004');
    const refused = {
      kind: 'budgetExceeded',
      required: usd('0.001005'),
      account: { key: `${holder.level}:${holder.id}` },
      isRetryable: false,
    };
    const preview = await kit.gateway.preview(callOf(kit, OF_ANN));
    expect(preview).toMatchObject({ blockedBy: refused, selected: null, reservation: 0n });
    const outcome = await chat(kit, OF_ANN);
    expect(outcome).toMatchObject({ kind: 'ended', why: refused });
    expect(outcome.kind === 'ended' && outcome.why.message).toContain(message);
    const nothing = { posted: 0n, held: 0n };
    expect(await postedTo(kit, 'user:ann', 'key:first', 'team:red')).toEqual([nothing, nothing, nothing]);
    expect(kit.provider('a').calls).toHaveLength(0);
    await limit(kit, holder, '0.001005');
    expect((await kit.gateway.preview(callOf(kit, OF_ANN))).reservation).toBe(usd('0.001005'));
    expect((await chat(kit, OF_ANN)).kind).toBe('answered');
  });

  test('is answered as long as the one that has least can pay', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    await limit(kit, TEAM, '0.000505');
    const { maxOutputTokens: _none, ...open } = HUNDRED;
    expect((await kit.gateway.preview(callOf(kit, OF_ANN, open))).reservation).toBe(usd('0.000505'));
    kit.provider('a').script({ kind: 'answer', inputTokens: 5, outputTokens: 50 });
    const outcome = await chat(kit, OF_ANN, open);
    expect(outcome).toMatchObject({ kind: 'answered', cost: { reserved: usd('0.000505') } });
    expect(kit.provider('a').calls[0]?.maxOutputTokens).toBe(50);
  });

  test('is worth a retry only when no account has really spent its budget', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    await limit(kit, TEAM, '0.0015');
    kit.provider('a').script({ kind: 'hang' });
    const leaving = new AbortController();
    const running = kit.gateway.chat({ ...callOf(kit, OF_ANN), signal: leaving.signal });
    await quiet();
    expect(await chat(kit, OF_ANN)).toMatchObject({ why: { account: { key: 'team:red' }, isRetryable: true } });
    await limit(kit, KEY, '0.001');
    expect(await chat(kit, OF_ANN)).toMatchObject({ why: { account: { key: 'key:first' }, isRetryable: false } });
    leaving.abort();
    await running;
  });

  test('warns of each budget of which four fifths are spent, with what is left of it', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    await limit(kit, ANN, '0.00125');
    await limit(kit, KEY, '0.001005');
    await limit(kit, TEAM, '0.00120');
    kit.provider('a').script({ kind: 'answer', inputTokens: 0, outputTokens: 100 });
    expect(await chat(kit, OF_ANN)).toMatchObject({
      warnings: [
        'the budget is nearly spent: 0.00025 of 0.00125 USD is left',
        'the budget of the key is nearly spent: 0.000005 of 0.001005 USD is left',
        'the budget of the team is nearly spent: 0.0002 of 0.0012 USD is left',
      ],
    });
  });
});

describe('the budget', () => {
  test('of a key that pays by itself is the default; one that pays along has none unless it is set', async () => {
    await using kit = makeGatewayKit({ registry: PRICED, budgetDefault: usd('0.001') });
    const { gateway } = kit;
    expect(await gateway.ownBudgetOf(LONE, 'user')).toMatchObject({ holder: KEY, cap: usd('0.001') });
    expect(await gateway.findBudget(KEY)).toBeNull();
    expect((await gateway.preview(callOf(kit, LONE))).blockedBy).toMatchObject({ account: { isUnderDefault: true } });
    expect(await chat(kit, LONE)).toMatchObject({ why: { kind: 'budgetExceeded', account: { key: 'key:first' } } });
    expect(await gateway.payersBudget('key:first' as AccountKey)).toMatchObject({ holder: KEY, cap: usd('0.001') });
    expect((await chat(kit, LONE, { ...HUNDRED, maxOutputTokens: 50 })).kind).toBe('answered');
    expect(await gateway.findBudget(KEY)).toMatchObject({ holder: KEY, cap: usd('0.001') });
    expect(await gateway.findBudget(TEAM)).toBeNull();
    await limit(kit, TEAM, '5');
    expect(await gateway.findBudget(TEAM)).toMatchObject({ holder: TEAM, cap: usd('5') });
  });

  test('of a caller is that of its user, its key and its team', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    const own = (caller: Caller) =>
      Promise.all((['user', 'key', 'team'] as const).map((level) => kit.gateway.ownBudgetOf(caller, level)));
    expect(await own(OF_ANN)).toMatchObject([{ holder: ANN, cap: usd('1') }, null, null]);
    await limit(kit, KEY, '2');
    await limit(kit, TEAM, '3');
    expect(await own(OF_ANN)).toMatchObject([{ holder: ANN }, { cap: usd('2') }, { cap: usd('3') }]);
    expect(await own(OPEN_CALLER)).toEqual([null, null, null]);
  });

  test('is listed wherever a cap is in force, and nowhere else', async () => {
    await using kit = makeGatewayKit({ registry: PRICED });
    await chat(kit, OF_ANN);
    const listed = async () => {
      const answer = await kit.gateway.pageBudgets({ size: 10, direction: 'forward', cursor: null }, []);
      return answer.kind === 'page' ? answer.page.items.map(({ item }) => item.holder.level) : [];
    };
    expect(await listed()).toEqual(['user']);
    await limit(kit, TEAM, '0.5');
    expect(await listed()).toEqual(['team', 'user']);
    await chat(kit, LONE);
    expect(await listed()).toEqual(expect.arrayContaining(['team', 'user', 'key']));
  });
});

describe('alarms', () => {
  test('tell of a team what is spent by its users, and of a refusal the one that stopped it', async () => {
    await using kit = makeHub();
    const team = 'team:red' as AccountKey;
    await kit.store.setBudget({ account: team, cap: usd('0.0000000004'), period: 'total', resetUsage: false }, ACTOR);
    const watchTeam = await kit.hub.watch({ ...watchFor(null), holder: TEAM });
    const told = follow(watchTeam);
    await kit.pass();
    const settle = await hold(kit.store, 'ann', 330n, [team]);
    await settle(330n);
    await kit.pass();
    expect(told()).toEqual(['red present', 'red reachedHalf', 'red reachedFourFifths']);
    refuse(kit.hub, { account: 'user:ann' as AccountKey, also: [team] }, team);
    const annTold = follow(await kit.watch('ann'));
    await kit.pass();
    expect(told()).toEqual(['red refused']);
    expect(annTold()).toEqual(['ann present']);
  });

  test('say nothing of a key without a cap, until it has one', async () => {
    await using kit = makeHub();
    const told = follow(await kit.hub.watch({ ...watchFor(null), holder: KEY }));
    await kit.pass();
    expect(told()).toEqual([]);
    const account = 'key:first' as AccountKey;
    await kit.store.setBudget({ account, cap: usd('1'), period: 'total', resetUsage: false }, ACTOR);
    await kit.pass();
    expect(told()).toEqual(['first changed']);
  });
});

const ACTOR = { name: 'tester', reason: null };
