import { contentOf, type RequestContent } from '../core/content.ts';
import type { AccountKey } from '../core/ids.ts';
import type { ChatOutcome } from '../core/outcome.ts';
import type { RequestView } from '../core/request-record.ts';
import { isSeen } from '../core/view.ts';
import type { Clock } from '../ports/clock.ts';
import type { ContentPort } from '../ports/content.ts';
import type { Log } from '../ports/log.ts';
import { type Caller, may, viewOf } from './caller.ts';
import { startForgetter } from './forgetter.ts';
import type { ChatCall, ReplicaInfo } from './gateway.ts';

/** Contents on their way to the store at one moment. Each may be some hundred kilobytes, so more are not kept. */
export const CONTENTS_WAITING_MAX = 100;

const DAY_MS = 86_400_000;

/** Prompts and answers, kept where the operator wants it. Disposing of it waits for what is on its way. */
export interface Contents extends AsyncDisposable {
  /** Of a chat that has ended. Nobody waits for it, and nothing but a line in the log comes of a failure. */
  keep(call: ChatCall, of: { readonly account: AccountKey; readonly outcome: ChatOutcome }): void;
  /** Null when the caller may not read it, or nothing is kept. */
  find(view: RequestView, caller: Caller): Promise<RequestContent | null>;
}

export function makeContents(needs: {
  readonly info: ReplicaInfo;
  readonly logRetentionDays: number;
  readonly store: ContentPort;
  readonly clock: Clock;
  readonly log: Log;
}): Contents {
  const { info, log, store } = needs;
  const waiting = new Set<Promise<void>>();
  // No longer than the request in the log, without which nobody could be shown it.
  const keptMs = Math.min(info.contentKeptDays ?? 0, needs.logRetentionDays) * DAY_MS;
  // Also while nothing is recorded: what was kept before still expires.
  const forgetter = startForgetter(needs, (countMax) => store.forgetContent(countMax));
  return {
    keep({ requestId, request }, { account, outcome }) {
      if (info.contentKeptDays === null) return;
      const own = log.with({ requestId: `req_${requestId}` });
      if (waiting.size >= CONTENTS_WAITING_MAX) {
        own.warn('a prompt and its answer were not kept: too many others wait for the store');
        return;
      }
      const answer = outcome.kind === 'answered' ? outcome.answer : null;
      const content = { id: requestId, account, ...contentOf(request.prompt.messages, answer) };
      const kept = store
        .keepContent(content, keptMs)
        .catch((error: unknown) => own.error('a prompt and its answer could not be kept', { error: String(error) }))
        .finally(() => waiting.delete(kept));
      waiting.add(kept);
    },
    async find(view, caller) {
      const isShown = info.contentKeptDays !== null && may(caller, 'content:read') && isSeen(view, viewOf(caller));
      return isShown ? store.findContent(view.id) : null;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...waiting, forgetter[Symbol.asyncDispose]()]);
    },
  };
}
