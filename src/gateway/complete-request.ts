import { isRouted, type RequestView, type RoutedView } from '../core/request-record.ts';
import { EVERYBODY } from '../core/view.ts';
import { awaitRecord } from './await-record.ts';
import type { GatewayDeps } from './deps.ts';

/** How long the record of a request that has ended at another replica may take to arrive in the log. */
const LIMIT_MS = 2_000;

/** A request that somebody was shown, with its decision, which other replicas do not send along: the log has it, as soon as the request has ended. */
export async function complete(deps: GatewayDeps, view: RequestView, signal: AbortSignal): Promise<RoutedView | null> {
  if (isRouted(view)) return view;
  if (view.status === 'running') return null;
  return awaitRecord(deps, { id: view.id, view: EVERYBODY, signal, limitMs: LIMIT_MS, meanwhile: () => undefined });
}
