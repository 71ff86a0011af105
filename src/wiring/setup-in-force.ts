import { type Configurations, makeConfigurations } from '../gateway/configuration.ts';
import type { PersistedDocuments } from '../graphql/persisted-documents.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Store } from '../ports/store.ts';
import { openConfiguration } from './open-configuration.ts';
import type { Setup } from './read-setup.ts';

type ServedSetup = Parameters<typeof openConfiguration>[0];

/** What is set, as the service goes by it. Disposing of it closes the adapters. */
export interface SetupInForce extends AsyncDisposable {
  readonly configurations: Configurations;
  persisted(): PersistedDocuments;
  /**
   * Puts another setup in force, whole and at once, when the store has taken over its limits. Throws while the store is away; then
   * nothing has changed here.
   */
  adopt(setup: Setup, store: Pick<Store, 'adopt'>): Promise<void>;
}

export async function openSetup(
  setup: ServedSetup,
  parts: { readonly clock: Clock; readonly log: Log },
): Promise<SetupInForce> {
  const configurations = makeConfigurations(await openConfiguration(setup, parts), parts);
  let { persisted } = setup;
  return {
    configurations,
    persisted: () => persisted,
    async adopt(next, store) {
      await using opened = new AsyncDisposableStack();
      const configuration = opened.use(await openConfiguration(next, parts));
      await store.adopt(configuration.registry);
      opened.move();
      configurations.exchange(configuration);
      persisted = next.persisted;
    },
    [Symbol.asyncDispose]: () => configurations[Symbol.asyncDispose](),
  };
}
