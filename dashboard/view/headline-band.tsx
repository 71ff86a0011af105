import { type Headline, headlineOf } from './headline.ts';
import { useRoom } from './room-context.ts';
import { StateShape } from './state-shape.tsx';

const SHAPES = { calm: 'CLOSED', warned: 'HALF_OPEN', broken: 'OPEN' } as const;

/** First of all: is anything broken, and why. */
export function HeadlineBand() {
  const { providers, parts } = useRoom().see;
  const part = parts.value.providers;
  if (part.kind === 'refused') return <p class="headline">{part.why}</p>;
  if (providers.value.length === 0) return <p class="headline">Waiting for the gateway.</p>;
  return <Band {...headlineOf(providers.value)} />;
}

function Band({ tone, title, details }: Headline) {
  return (
    <div class="headline" data-tone={tone}>
      <StateShape standing={SHAPES[tone]} share={null} />
      <div>
        <p class="headline-title">{title}</p>
        {details.length === 0 ? null : (
          <ul class="headline-details">
            {details.map((detail) => (
              <li key={detail}>{detail}</li>
            ))}
          </ul>
        )}
      </div>
    </div>
  );
}
