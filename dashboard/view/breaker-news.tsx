import { effect, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { makeNewsPacer } from './news-pacer.ts';
import { useRoom } from './room-context.ts';

/** For those who hear the page: changes of breakers, and nothing else. */
export function BreakerNews() {
  const { providers } = useRoom().see;
  const text = useSignal('');
  useEffect(() => {
    const pacer = makeNewsPacer({
      say: (news) => {
        text.value = news;
      },
      nowMs: () => Date.now(),
      wait: (callback, ms) => {
        const timer = setTimeout(callback, ms);
        return () => clearTimeout(timer);
      },
    });
    const unwatch = effect(() => pacer.look(providers.value));
    return () => {
      unwatch();
      pacer.stop();
    };
  }, [providers, text]);
  return (
    <p class="unseen" role="status" id="breaker-news">
      {text}
    </p>
  );
}
