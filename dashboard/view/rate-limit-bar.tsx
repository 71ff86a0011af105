import type { RateLimit } from '../model/room-state.ts';
import { countText } from './number-text.ts';
import { spanText } from './time-text.ts';

/** From this share on the bar warns: there is little left. */
const NEARLY_FULL = 0.9;

export function RateLimitBar({ limit: { limit, used, windowMs } }: { readonly limit: RateLimit }) {
  const share = limit === 0 ? 1 : Math.min(used / limit, 1);
  const text = `${countText(used)} of ${countText(limit)} in ${spanText(windowMs)}`;
  return (
    <div class="rate" data-full={share >= NEARLY_FULL ? 'yes' : 'no'}>
      <span class="rate-name">rate limit</span>
      <span class="rate-bar" aria-hidden="true">
        <span class="rate-used" style={{ inlineSize: `${share * 100}%` }} />
      </span>
      <span class="rate-text">{used >= limit ? `used up: ${text}` : text}</span>
    </div>
  );
}
