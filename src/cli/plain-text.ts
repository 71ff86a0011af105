// What other people and models write, as a terminal may be given it. Joiners of letters and of emoji are no control characters, and stay.

/** Signs that turn the direction of what follows: text that is read in another order than it is run has been used to deceive. */
const TURNING = '\\u202a-\\u202e\\u2066-\\u2069';

const CONTROLS = new RegExp(`(?![\\n\\t])[\\p{Cc}${TURNING}]`, 'gu');
const CONTROLS_AND_BREAKS = new RegExp(`[\\p{Cc}${TURNING}]`, 'gu');

/** Text in lines. A carriage return goes: before a line break nobody sees it, elsewhere it would write over what stands there. */
export function plainText(text: string): string {
  return text.replaceAll('\r', '').replaceAll(CONTROLS, '?');
}

/** Text for one cell or line. */
export function plainLine(text: string): string {
  return text.replaceAll(CONTROLS_AND_BREAKS, '?');
}
