import {
  type PageDocument,
  type ProviderNowFragment,
  ResetBreaker,
  SetEnabled,
  Simulate,
  StopSimulation,
} from '../documents.generated.ts';
import type { RoomActs } from '../model/room.ts';
import type { Fault } from '../model/room-state.ts';
import type { Board } from './board.ts';
import type { Link, Sent } from './link.ts';

interface ActDeps {
  readonly board: Board;
  readonly link: () => Link | null;
  readonly say: Say;
}

/** Tells the user what came of an act. */
export interface Say {
  done(text: string): void;
  failed(text: string, code: string): void;
}

type ProviderActs = Pick<RoomActs, 'simulate' | 'stopSimulation' | 'resetBreaker' | 'enable' | 'disable'>;

/** What came of a mutation: providers as they are now, or why not. */
type Outcome = { readonly providers: readonly ProviderNowFragment[] } | Fault;

/** What operators do to providers. Each tells how it went, and shows the provider as the answer has it. */
export function makeProviderActs({ board, link, say }: ActDeps): ProviderActs {
  const act = <Data, Variables extends Sent>(of: {
    readonly document: PageDocument<Data, Variables>;
    readonly variables: Variables;
    readonly outcomeOf: (data: Data) => Outcome;
    readonly done: string;
    /** What was wanted, for when nothing is answered. */
    readonly what: string;
  }) => {
    const now = link();
    let isAnswered = false;
    if (now === null) return say.failed('There is no connection to the gateway: nothing was done.', 'NOT_CONNECTED');
    now.run(of.document, of.variables, {
      data(data) {
        isAnswered = true;
        const outcome = of.outcomeOf(data);
        if ('code' in outcome) return say.failed(outcome.message, outcome.code);
        for (const provider of outcome.providers) board.tell({ kind: 'provider', now: provider });
        say.done(of.done);
      },
      failed({ code, message }) {
        isAnswered = true;
        say.failed(message, code);
      },
      ended: () => {},
      lost: () =>
        isAnswered ||
        say.failed(
          `${of.what}: the connection broke before the answer. Nobody here knows whether it was done: look at the card.`,
          'CONNECTION_LOST',
        ),
    });
  };
  const setEnabled = (provider: string, enabled: boolean) =>
    act({
      document: SetEnabled,
      variables: { provider, enabled },
      outcomeOf: ({ setProviderEnabled }) => oneProvider(setProviderEnabled),
      done: enabled ? `${provider}: takes traffic again` : `${provider}: takes no traffic`,
      what: `${provider} was to be switched ${enabled ? 'on' : 'off'}`,
    });
  return {
    simulate: (provider, { mode, durationS }) =>
      act({
        document: Simulate,
        variables: { provider, mode, duration: `PT${durationS}S` },
        outcomeOf: ({ simulateFailure }) => oneProvider(simulateFailure),
        done: `${provider}: failures are simulated for ${durationS} s`,
        what: `Failures of ${provider} were to be simulated`,
      }),
    stopSimulation: (provider) =>
      act({
        document: StopSimulation,
        variables: { provider },
        outcomeOf: ({ stopSimulation }) => stopSimulation,
        done: `${provider}: no failure is simulated any more`,
        what: `The simulation of ${provider} was to end`,
      }),
    resetBreaker: (provider) =>
      act({
        document: ResetBreaker,
        variables: { provider },
        outcomeOf: ({ resetBreaker }) => oneProvider(resetBreaker),
        done: `${provider}: the breaker is closed`,
        what: `The breaker of ${provider} was to be reset`,
      }),
    enable: (provider) => setEnabled(provider, true),
    disable: (provider) => setEnabled(provider, false),
  };
}

function oneProvider(result: { readonly provider: ProviderNowFragment } | Fault): Outcome {
  return 'code' in result ? result : { providers: [result.provider] };
}
