import { Client, fetchExchange } from '@urql/core';

// Queries and mutations with an ordinary GraphQL client: a budget, a chat within it, and the decision as data.
const url = process.env.SWITCHYARD_URL ?? 'http://localhost:4000';
const client = new Client({ url: `${url}/graphql`, exchanges: [fetchExchange], preferGetMethod: false });

const budget = await client
  .mutation(
    `mutation($userId: String!) { setBudget(input: { userId: $userId, limitUsd: "0.50", period: MONTHLY }) {
      ... on SetBudgetSuccess { budget { userId limitUsd remainingUsd period } }
      ... on ApiError { code message }
    } }`,
    { userId: 'ann' },
  )
  .toPromise();
if (budget.error !== undefined) throw budget.error;
console.log('budget:', JSON.stringify(budget.data.setBudget));

const chat = await client
  .mutation(
    `mutation($input: ChatInput!) { chat(input: $input) {
      __typename
      ... on ChatSuccess { content cost { totalUsd } budget { remainingUsd }
        routing { summary candidates { provider { key } rank score rejection { reason } } } }
      ... on BudgetExceededError { message requiredUsd }
      ... on ApiError { code message }
    } }`,
    { input: { prompt: 'Fix this function: def add(a, b): return a - b', userId: 'ann', maxOutputTokens: 200 } },
  )
  .toPromise();
if (chat.error !== undefined) throw chat.error;
console.log('chat:', JSON.stringify(chat.data.chat, null, 2));
