import { expect, test } from 'vitest';
import { ask, startService } from '../http/running-server.ts';

const SET = `mutation ($input: SetBudgetInput!) { setBudget(input: $input) { __typename
  ... on SetBudgetSuccess { budget { id userId limitUsd spentUsd reservedUsd remainingUsd utilization status period periodStartedAt resetsAt } }
  ... on InvalidInputError { code issues { path message } } } }`;

test('a budget is set to the last digit, and read again', async () => {
  await using service = await startService();
  const set = await ask(service, SET, { input: { userId: 'alice', limitUsd: '2.500000000001', period: 'DAILY' } });
  expect(set.data.setBudget).toEqual({
    __typename: 'SetBudgetSuccess',
    budget: {
      id: 'bud_alice',
      userId: 'alice',
      limitUsd: '2.500000000001',
      spentUsd: '0.00',
      reservedUsd: '0.00',
      remainingUsd: '2.500000000001',
      utilization: 0,
      status: 'OK',
      period: 'DAILY',
      periodStartedAt: '2026-01-01T00:00:00.000Z',
      resetsAt: '2026-01-02T00:00:00.000Z',
    },
  });
  const read = await ask(
    service,
    '{ budget(userId: "alice") { limitUsd } mine: budget { id } budgets(status: [OK]) { nodes { userId } } }',
  );
  expect(read.data).toEqual({
    budget: { limitUsd: '2.500000000001' },
    mine: null,
    budgets: { nodes: [{ userId: 'alice' }] },
  });
});

test('budgets of a user, a key and a team of one name are three, each found again by its own id', async () => {
  await using service = await startService();
  const set = async (level: string, userId: string, limitUsd: string) => {
    const { data } = await ask(service, SET, { input: { level, userId, limitUsd } });
    return data.setBudget.budget.id;
  };
  const ids = [await set('USER', 'red', '1'), await set('KEY', 'key_red', '2'), await set('TEAM', 'red', '3')];
  expect(ids).toEqual(['bud_red', 'kbud_red', 'tbud_red']);
  const { data } = await ask(
    service,
    `query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Budget { userId level limitUsd } }
      user: budget(userId: "red") { level limitUsd } key: budget(userId: "red", level: KEY) { level limitUsd } }`,
    { ids },
  );
  expect(data).toEqual({
    nodes: [
      { userId: 'red', level: 'USER', limitUsd: '1.00' },
      { userId: 'red', level: 'KEY', limitUsd: '2.00' },
      { userId: 'red', level: 'TEAM', limitUsd: '3.00' },
    ],
    user: { level: 'USER', limitUsd: '1.00' },
    key: { level: 'KEY', limitUsd: '2.00' },
  });
});

test('a user who never spent has the default budget; a budget of nothing is full', async () => {
  await using service = await startService();
  await ask(service, SET, { input: { userId: 'broke', limitUsd: 0, period: null, resetUsage: null } });
  const { data } = await ask(
    service,
    '{ new: budget(userId: "new") { limitUsd period resetsAt } broke: budget(userId: "broke") { utilization status remainingUsd } }',
  );
  expect(data).toEqual({
    new: { limitUsd: '1.00', period: 'TOTAL', resetsAt: null },
    broke: { utilization: 1, status: 'EXHAUSTED', remainingUsd: '0.00' },
  });
});

test('a budget that cannot be is answered with what is wrong; money that is no money never gets that far', async () => {
  await using service = await startService();
  const negative = await ask(service, SET, { input: { userId: 'alice', limitUsd: '-1' } });
  expect(negative.data.setBudget).toMatchObject({
    __typename: 'InvalidInputError',
    code: 'INVALID_INPUT',
    issues: [{ path: ['limitUsd'] }],
  });
  for (const limitUsd of ['NaN', '1e3', 'a lot', null]) {
    const { status, errors } = await ask(service, SET, { input: { userId: 'alice', limitUsd } });
    expect(status).toBe(400);
    expect(errors).toMatchObject([{ extensions: { code: 'INVALID_INPUT' } }]);
  }
  expect((await ask(service, '{ budgets { nodes { id } } }')).data.budgets.nodes).toEqual([]);
});

test('a user id that cannot be is refused', async () => {
  await using service = await startService();
  for (const userId of ['', 'x'.repeat(201), 'a\u0000b']) {
    const { errors } = await ask(service, 'query ($userId: String) { budget(userId: $userId) { id } }', { userId });
    expect(errors).toMatchObject([{ extensions: { code: 'INVALID_INPUT' } }]);
  }
});
