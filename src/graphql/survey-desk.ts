import type { ProviderKey } from '../core/ids.ts';
import type { EpochMs } from '../core/time.ts';
import type { Gateway } from '../gateway/gateway.ts';

type Survey = Awaited<ReturnType<Gateway['surveyProviders']>>;

/** How one provider stands, and at which instant that was seen. */
export interface Sight {
  readonly nowMs: EpochMs;
  readonly survey: Survey['providers'][number];
}

/** Looks at all providers once for one operation, however many of its fields ask. */
export interface SurveyDesk {
  /** Of a provider in the registry. */
  look(provider: ProviderKey): Promise<Sight>;
  /** Whoever asks next sees the state as it is then: called after every act that may have changed it. */
  forget(): void;
  /** The same, but what is seen then comes from another look, such as one that others share. */
  lookThrough(look: Gateway['surveyProviders']): void;
}

export function makeSurveyDesk(gateway: Pick<Gateway, 'surveyProviders'>): SurveyDesk {
  let seen: Promise<Survey> | null = null;
  let lookAgain = () => gateway.surveyProviders();
  return {
    async look(provider) {
      seen ??= lookAgain();
      let sight = sightOf(await seen, provider);
      if (sight === null) {
        // It came with another configuration, while this operation ran.
        seen = gateway.surveyProviders();
        sight = sightOf(await seen, provider);
      }
      if (sight === null) throw new RangeError(`the survey leaves out ${provider}, which is in the registry`);
      return sight;
    },
    forget() {
      seen = null;
    },
    lookThrough(look) {
      seen = null;
      lookAgain = look;
    },
  };
}

function sightOf({ nowMs, providers }: Survey, provider: ProviderKey): Sight | null {
  const survey = providers.find((known) => known.state.provider === provider);
  return survey === undefined ? null : { nowMs, survey };
}
