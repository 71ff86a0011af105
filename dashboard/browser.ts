import { makeOpenLink } from './live/link.ts';
import type { TabMemory, World } from './live/world.ts';

const KEY_NAME = 'switchyard.key';

/** The browser that this page is open in. */
export function makeBrowser(): World {
  const after = (ms: number, act: () => void) => {
    const timer = setTimeout(act, ms);
    return () => clearTimeout(timer);
  };
  const url = new URL('/graphql', location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return {
    openLink: makeOpenLink({ url: url.href, webSocket: WebSocket, now: () => performance.now(), after }),
    now: () => Date.now(),
    after,
    beforeFrame: (act) => void requestAnimationFrame(act),
    chance: () => Math.random(),
    newName,
    isInView: () => document.visibilityState === 'visible',
    tabMemory: TAB_MEMORY,
  };
}

/** Pages without TLS have no `crypto.randomUUID`. */
function newName(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

const TAB_MEMORY: TabMemory = {
  read: () => tried(() => sessionStorage.getItem(KEY_NAME)),
  keep: (text) => void tried(() => sessionStorage.setItem(KEY_NAME, text)),
  clear: () => void tried(() => sessionStorage.removeItem(KEY_NAME)),
};

/** Browsers that keep nothing throw. Null then: it works without. */
function tried<Value>(act: () => Value): Value | null {
  try {
    return act();
  } catch {
    return null;
  }
}
