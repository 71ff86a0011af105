import { auditServer } from 'graphql-http';
import { expect, test } from 'vitest';
import { startService } from './running-server.ts';

test('the endpoint passes every audit of the GraphQL-over-HTTP specification', async () => {
  await using service = await startService();
  const results = await auditServer({ url: `${service.url}/graphql` });
  const failed = results.filter((result) => result.status !== 'ok').map(({ id, name }) => `${id} ${name}`);
  expect(failed).toEqual([]);
  expect(results.length).toBe(61);
});
