import type { RequestView } from '../core/request-record.ts';
import { isSeen, type View } from '../core/view.ts';
import { viewOf } from './caller.ts';
import { complete } from './complete-request.ts';
import type { GatewayDeps } from './deps.ts';
import type { Gateway } from './gateway.ts';

/** Reading what became of requests: each caller sees theirs, and of others' not even that there are any. */
export function makeRequestReader(
  deps: GatewayDeps,
): Pick<Gateway, 'findRequest' | 'findAnswered' | 'completeRequest' | 'pageRequests' | 'analyse' | 'statsOf'> {
  const { live, store } = deps;
  const findAnswered: Gateway['findAnswered'] = async (id) => live.find(id) ?? store.find(id);
  return {
    findAnswered,
    findRequest: async (id, caller) => ifSeen(await findAnswered(id), viewOf(caller)),
    completeRequest: (view, signal) => complete(deps, view, signal),
    pageRequests: ({ caller, ...query }) => store.page({ ...query, view: viewOf(caller) }),
    analyse: (query, caller) => store.analyse({ ...query, view: viewOf(caller) }),
    statsOf: (provider, window, caller) => store.statsOf({ provider, window, view: viewOf(caller) }),
  };
}

function ifSeen(request: RequestView | null, view: View): RequestView | null {
  return request !== null && isSeen(request, view) ? request : null;
}
