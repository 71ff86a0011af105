import { assertFitsWire } from '../../core/wire.ts';
import type { WirePort } from '../../ports/wire.ts';

/** A store that lives in one process has no other replicas: nobody hears what is said. */
export function makeMemoryWire(): WirePort {
  return {
    publish: assertFitsWire,
    onMessage: () => ({ [Symbol.dispose]: () => undefined }),
  };
}
