import type { Standing } from './provider-words.ts';

/** Of the ring that shows the share of traffic, in the units of the drawing. */
const RING = { radius: 27, length: 2 * Math.PI * 27 } as const;

interface Props {
  readonly standing: Standing;
  /** Of the traffic, 0 to 1. Null: not shown. */
  readonly share: number | null;
}

/** A shape for each state, told apart without colour: a circle, a filled square with a cross, a half-filled diamond, a broken circle, an empty square with a cross, a circle with two bars. */
export function StateShape({ standing, share }: Props) {
  return (
    <svg class="shape" data-standing={standing} viewBox="0 0 64 64" aria-hidden="true">
      {drawingOf(standing, share)}
    </svg>
  );
}

function drawingOf(standing: Standing, share: number | null) {
  switch (standing) {
    case 'CLOSED':
      return share === null ? <Dot /> : <Ring share={share} />;
    case 'OPEN':
      return (
        <>
          <rect class="shape-fill" x="4" y="4" width="56" height="56" rx="5" />
          <path class="shape-mark" d="M20 20l24 24M44 20l-24 24" />
        </>
      );
    case 'SET_ASIDE':
      return (
        <>
          <rect class="shape-line" x="6" y="6" width="52" height="52" rx="5" />
          <path class="shape-line" d="M20 20l24 24M44 20l-24 24" />
        </>
      );
    case 'WAITING':
      return (
        <>
          <circle class="shape-line" cx="32" cy="32" r={RING.radius} />
          <path class="shape-line" d="M25 21v22M39 21v22" />
        </>
      );
    case 'HALF_OPEN':
      return (
        <>
          <path class="shape-fill" d="M32 3v58L3 32z" />
          <path class="shape-line" d="M32 4l28 28-28 28L4 32z" />
        </>
      );
    case 'OFF':
      return (
        <>
          <circle class="shape-line shape-broken" cx="32" cy="32" r={RING.radius} />
          <path class="shape-line" d="M21 32h22" />
        </>
      );
  }
}

function Dot() {
  return (
    <>
      <circle class="shape-fill" cx="32" cy="32" r="28" />
      <path class="shape-mark" d="M20 33l8 9 16-19" />
    </>
  );
}

function Ring({ share }: { readonly share: number }) {
  return (
    <>
      <circle class="shape-track" cx="32" cy="32" r={RING.radius} />
      {share === 0 ? null : (
        <circle
          class="shape-line"
          cx="32"
          cy="32"
          r={RING.radius}
          transform="rotate(-90 32 32)"
          stroke-dasharray={`${share * RING.length} ${RING.length}`}
        />
      )}
      <path class="shape-check" d="M22 33l7 8 14-17" />
    </>
  );
}
