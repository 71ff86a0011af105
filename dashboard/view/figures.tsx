import { moneyTextShort } from './money-text.ts';
import { countText, rateText, shareText, UNKNOWN } from './number-text.ts';
import { useRoom } from './room-context.ts';
import { WINDOW_WORDS } from './room-words.ts';
import { spanText } from './time-text.ts';

/** The gateway as a whole, in eight numbers. */
export function Figures() {
  const { totals, parts, window } = useRoom().see;
  const part = parts.value.ticks;
  if (part.kind === 'refused') return <p class="note">No figures: {part.why}</p>;
  const now = totals.value;
  return (
    <dl class="figures" aria-label={`Figures of ${WINDOW_WORDS[window.value]}`}>
      <Figure name="requests a second" value={now === null ? UNKNOWN : rateText(now.requestsPerSecond)} />
      <Figure name="success" value={shareText(now?.successShare ?? null)} />
      <Figure name="latency p50" value={spanText(now?.latency.p50Ms ?? null)} />
      <Figure name="latency p95" value={spanText(now?.latency.p95Ms ?? null)} />
      <Figure name="latency p99" value={spanText(now?.latency.p99Ms ?? null)} />
      <Figure name="first token p95" value={spanText(now?.timeToFirstToken.p95Ms ?? null)} />
      <Figure name="spent per hour" value={now === null ? UNKNOWN : moneyTextShort(now.burnUsdPerHour)} />
      <Figure name="in flight" value={now === null ? UNKNOWN : countText(now.inFlight)} />
    </dl>
  );
}

function Figure({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div class="figure">
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
