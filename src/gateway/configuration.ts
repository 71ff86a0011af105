import type { ProviderKey } from '../core/ids.ts';
import type { Registry } from '../core/registry.ts';
import type { Log } from '../ports/log.ts';
import type { ProviderPort } from '../ports/provider.ts';

/** What an operator may change while the service runs, as it is at one moment. A value: a change is another one. */
export interface Configuration {
  readonly registry: Registry;
  /** One for each provider of the registry. */
  readonly providers: ReadonlyMap<ProviderKey, ProviderPort>;
  /** Equal on replicas that were given the same registry and settings. */
  readonly configHash: string;
  readonly areSimulationsEnabled: boolean;
}

/** Disposing of it closes its adapters. */
export type OpenConfiguration = Configuration & AsyncDisposable;

/** A configuration for as long as something goes by it. */
export interface TakenConfiguration extends Disposable {
  readonly configuration: Configuration;
}

/**
 * The configuration in force, and those that requests still go by. There are never more of them than requests that run. Disposing of
 * it closes the adapters of all.
 */
export interface Configurations extends AsyncDisposable {
  /** The one in force now. Whoever goes by it for longer takes it. */
  now(): Configuration;
  /** The one in force now, whose adapters stay open until the handle is disposed. */
  take(): TakenConfiguration;
  /** Puts another one in force, whole and at once. The adapters of the one before are closed when nobody goes by it any more. */
  exchange(next: OpenConfiguration): void;
  /** Calls back after each exchange. */
  onExchange(act: (now: Configuration) => void): Disposable;
  /** Why what the operator wrote last is not in force. Null: it is. It may name files: it is for operators only. */
  fault(): string | null;
  noteFault(why: string | null): void;
}

interface Held {
  readonly configuration: OpenConfiguration;
  takerCount: number;
}

export function makeConfigurations(first: OpenConfiguration, { log }: { readonly log: Log }): Configurations {
  const acts = new Set<(now: Configuration) => void>();
  const former = new Set<Held>();
  const closing = new Set<Promise<void>>();
  let current: Held = { configuration: first, takerCount: 0 };
  let fault: string | null = null;

  const close = (held: Held) => {
    former.delete(held);
    const closed = Promise.resolve(held.configuration[Symbol.asyncDispose]())
      .catch((error: unknown) => log.warn('adapters that nobody uses could not be closed', { error: String(error) }))
      .finally(() => closing.delete(closed));
    closing.add(closed);
  };
  const closeIfDone = (held: Held) => {
    if (held.takerCount === 0 && former.has(held)) close(held);
  };
  return {
    now: () => current.configuration,
    take() {
      const held = current;
      let isTaken = true;
      held.takerCount += 1;
      return {
        configuration: held.configuration,
        [Symbol.dispose]() {
          if (isTaken) held.takerCount -= 1;
          isTaken = false;
          closeIfDone(held);
        },
      };
    },
    exchange(next) {
      const before = current;
      current = { configuration: next, takerCount: 0 };
      former.add(before);
      closeIfDone(before);
      for (const act of acts) act(next);
    },
    onExchange(act) {
      acts.add(act);
      return { [Symbol.dispose]: () => acts.delete(act) };
    },
    fault: () => fault,
    noteFault(why) {
      fault = why;
    },
    async [Symbol.asyncDispose]() {
      for (const held of [current, ...former]) close(held);
      await Promise.all(closing);
    },
  };
}
