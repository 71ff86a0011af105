import {
  decodeFields,
  decodeInstant,
  decodeList,
  decodeNullable,
  decodeNumber,
  decodeText,
} from '../../core/decode.ts';
import { decodeAccount } from '../../core/decode-account.ts';
import { providerKey } from '../../core/ids.ts';
import type { OperationsPort } from '../../ports/operations.ts';
import { fetchAccountPage } from './account-page.ts';
import type { Connection } from './connection.ts';
import { decodeEvent, decodeProviderState } from './decode-provider.ts';
import type { Asker } from './exchange.ts';

/**
 * A hold without a provider is a slice. Sent as plain text, so that it is planned each time: a plan that is kept from when the table was
 * small would read all of it for ever.
 */
const UNDER_WAY = `select count(distinct request_id)::integer as count from switchyard.hold
  where state = 'held' and expires_at > switchyard.clock() and provider <> '' and ($1::text is null or account = $1)`;

/** Administrative acts, on PostgreSQL: each is one function of drizzle/, which also writes the audit log. */
export function makePostgresOperations({ act, read }: Connection, { replica, own }: Asker): OperationsPort {
  const accountsOf: OperationsPort['accountsOf'] = async (keys) => {
    if (keys.length === 0) return [];
    const asked = JSON.stringify(keys);
    const [row] = await read((sql) => sql`select switchyard.look_all(${asked}::text::jsonb)->'accounts' as answer`);
    return decodeList(row?.answer, decodeAccount);
  };
  return {
    async survey() {
      const [row] = await read((sql) => sql`select switchyard.survey() as answer`);
      const fields = decodeFields(row?.answer);
      return {
        nowMs: decodeInstant(fields.nowMs),
        providers: own.pick(fields.providers).map((provider) => ({
          state: decodeProviderState(provider),
          slotsUsed: decodeNumber(provider.slotsUsed),
        })),
      };
    },
    async countUnderWay(account) {
      const [row] = await read((sql) => sql.unsafe(UNDER_WAY, [account]));
      return decodeNumber(row?.count);
    },
    async simulate(provider, wish, actor) {
      await act(
        (sql) =>
          sql`select switchyard.simulate(${provider}, ${JSON.stringify(wish)}::text::jsonb, ${JSON.stringify(actor)}::text::jsonb)`,
      );
    },
    async stopSimulation(provider, actor) {
      const [row] = await act(
        (sql) => sql`select switchyard.stop_simulation(${provider}, ${JSON.stringify(actor)}::text::jsonb) as answer`,
      );
      return decodeList(row?.answer, (key) => providerKey(decodeText(key)));
    },
    async resetBreaker(provider, actor) {
      const [row] = await act(
        (sql) =>
          sql`select switchyard.reset_breaker(${provider}, ${JSON.stringify(actor)}::text::jsonb, ${replica}) as answer`,
      );
      return decodeNullable(row?.answer, decodeEvent);
    },
    async setEnabled(provider, isEnabled, actor) {
      await act(
        (sql) => sql`select switchyard.set_enabled(${provider}, ${isEnabled}, ${JSON.stringify(actor)}::text::jsonb)`,
      );
    },
    async setBudget(wish, actor) {
      const said = JSON.stringify({ ...wish, cap: wish.cap.toString() });
      const [row] = await act(
        (sql) =>
          sql`select switchyard.set_budget(${said}::text::jsonb, ${JSON.stringify(actor)}::text::jsonb) as answer`,
      );
      return decodeAccount(row?.answer);
    },
    async account(key) {
      const [account] = await accountsOf([key]);
      if (account === undefined) throw new RangeError(`the store leaves out ${key}`);
      return account;
    },
    accountsOf,
    accounts: (query) => read((sql) => fetchAccountPage(sql, query)),
  };
}
