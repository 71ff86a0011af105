import { countText } from './number-text.ts';

/** A button that has more rows shown, where there are more. */
export function ShowMore(of: { readonly left: number; readonly step: number; readonly onPress: () => void }) {
  return of.left <= 0 ? null : (
    <button type="button" class="more" onClick={of.onPress}>
      Show {countText(Math.min(of.step, of.left))} more
    </button>
  );
}
