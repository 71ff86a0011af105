import type { RequestView } from '../core/request-record.ts';
import type { Caller } from '../gateway/caller.ts';
import type { Gateway } from '../gateway/gateway.ts';

type Content = ReturnType<Gateway['contentOf']>;

/** Reads the content of a request once for one operation, whether its prompt is asked for, its answer, or both. */
export interface ContentDesk {
  read(view: RequestView): Content;
}

export function makeContentDesk(gateway: Gateway, caller: Caller): ContentDesk {
  const seen = new WeakMap<RequestView, Content>();
  return {
    read(view) {
      const content = seen.get(view) ?? gateway.contentOf(view, caller);
      seen.set(view, content);
      return content;
    },
  };
}
