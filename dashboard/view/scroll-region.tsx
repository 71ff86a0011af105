import type { ComponentChildren } from 'preact';

/** What may be wider than the page, and scrolls by itself. */
export function ScrollRegion(of: {
  readonly label: string;
  /** A class beside its own. */
  readonly kind?: string;
  readonly children: ComponentChildren;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section class={of.kind === undefined ? 'scroll' : `scroll ${of.kind}`} tabIndex={0} aria-label={of.label}>
      {of.children}
    </section>
  );
}
