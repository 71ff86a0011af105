import type { AnalyticsReport, MetricSet, ProviderQuery, RequestFilter, ViewedQuery } from '../core/analytics.ts';
import type { RequestId } from '../core/ids.ts';
import type { PageAnswer, PageQuery } from '../core/page.ts';
import type { RequestOrder, RequestRecord } from '../core/request-record.ts';
import type { View } from '../core/view.ts';

/** What became of requests. A view says whose: what it leaves out is as if it were not there. */
export interface RequestLogPort {
  /** Keeps a request. A second record of the same id changes nothing. */
  record(record: RequestRecord): Promise<void>;
  /** Null when there is no such request. */
  find(id: RequestId): Promise<RequestRecord | null>;
  page(query: {
    readonly page: PageQuery;
    readonly filter: RequestFilter;
    readonly order: RequestOrder;
    readonly view: View;
  }): Promise<PageAnswer<RequestRecord>>;
  /** Everything out of one snapshot. */
  analyse(query: ViewedQuery): Promise<AnalyticsReport>;
  /** The numbers of one provider: the requests it answered or failed last, and all attempts on it. */
  statsOf(query: ProviderQuery): Promise<MetricSet>;
}
