import type { AnalyticsQuery, AnalyticsReport, MetricSet, RequestFilter, Window } from '../core/analytics.ts';
import type { ProviderKey, RequestId } from '../core/ids.ts';
import type { PageAnswer, PageQuery } from '../core/page.ts';
import type { RequestOrder, RequestRecord } from '../core/request-record.ts';

/** What became of requests. */
export interface RequestLogPort {
  /** Keeps a request. A second record of the same id changes nothing. */
  record(record: RequestRecord): Promise<void>;
  /** Null when there is no such request. */
  find(id: RequestId): Promise<RequestRecord | null>;
  page(query: {
    readonly page: PageQuery;
    readonly filter: RequestFilter;
    readonly order: RequestOrder;
  }): Promise<PageAnswer<RequestRecord>>;
  /** Everything out of one snapshot. */
  analyse(query: AnalyticsQuery): Promise<AnalyticsReport>;
  /** The numbers of one provider: the requests it answered or failed last, and all attempts on it. */
  statsOf(provider: ProviderKey, window: Window): Promise<MetricSet>;
}
