import type { RequestFilter, Window } from './analytics.ts';
import type { RequestView } from './request-record.ts';
import type { EpochMs } from './time.ts';

/** Whether a request meets every condition of a filter, as it is now. */
export function isMatch(record: RequestView, filter: RequestFilter): boolean {
  const { window, userId, apiKeyId, fellBack, costMin, totalMsMin } = filter;
  return (
    isAmong(record.status, filter.status) &&
    isAmong(record.provider, filter.provider) &&
    isAmong(record.model, filter.model) &&
    isAmong(record.category, filter.category) &&
    (userId === null || record.userId === userId) &&
    (apiKeyId === null || record.apiKey?.id === apiKeyId || record.apiKey?.line === apiKeyId) &&
    (fellBack === null || record.fellBack === fellBack) &&
    (window === null || isWithin(record.createdAtMs, window)) &&
    (costMin === null || record.cost.total >= costMin) &&
    (totalMsMin === null || record.timing.totalMs >= totalMsMin) &&
    hasLabels(record.metadata, filter.metadata)
  );
}

/** Whether every request matches it. */
export function isNoCondition(filter: RequestFilter): boolean {
  const { status, provider, model, category, metadata, userId, apiKeyId, fellBack, window, costMin, totalMsMin } =
    filter;
  return (
    [status, provider, model, category, Object.keys(metadata)].every((wanted) => wanted.length === 0) &&
    [userId, apiKeyId, fellBack, window, costMin, totalMsMin].every((wanted) => wanted === null)
  );
}

/** The end of a window is not part of it. */
export function isWithin(instant: EpochMs, window: Window): boolean {
  return instant >= window.fromMs && instant < window.toMs;
}

/** An empty list is no condition. A request without a value meets no other list. */
function isAmong(value: string | null, wanted: readonly string[]): boolean {
  return wanted.length === 0 || (value !== null && wanted.includes(value));
}

function hasLabels(metadata: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([name, value]) => Object.hasOwn(metadata, name) && metadata[name] === value);
}
