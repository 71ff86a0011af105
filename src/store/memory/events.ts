import type { Transition } from '../../core/breaker.ts';
import type { ProviderKey } from '../../core/ids.ts';
import { pageOfSorted, parseSequence } from '../../core/page.ts';
import type { BreakerEvent, BreakerEventsPort } from '../../ports/breaker-events.ts';
import { MEMORY_LIMITS, type MemoryState } from './state.ts';

/** Keeps a change and hints at it. */
export function appendEvent(state: MemoryState, provider: ProviderKey, transition: Transition): BreakerEvent {
  state.sequence += 1;
  const event = {
    sequence: state.sequence,
    provider,
    transition,
    occurredAtMs: state.now(),
    replica: state.replica,
  };
  state.events.push(event);
  if (state.events.length > MEMORY_LIMITS.eventsMax) state.events.shift();
  for (const hint of state.hints) hint();
  return event;
}

export function makeMemoryEvents(state: MemoryState): BreakerEventsPort {
  return {
    async range() {
      return { oldest: state.events[0]?.sequence ?? 0, newest: state.events.at(-1)?.sequence ?? 0 };
    },
    async tail(after, countMax) {
      return state.events.filter((event) => event.sequence > after).slice(0, countMax);
    },
    async findEvent(sequence) {
      return state.events.find((event) => event.sequence === sequence) ?? null;
    },
    async history(provider, page) {
      const events = state.events.filter((event) => event.provider === provider).toReversed();
      return pageOfSorted(events, page, {
        cursorOf: (event) => String(event.sequence),
        parseCursor: parseSequence,
        compare: (event, sequence) => sequence - event.sequence,
      });
    },
    onHint(act) {
      state.hints.add(act);
      return { [Symbol.dispose]: () => state.hints.delete(act) };
    },
  };
}
