import type { RequestContent } from '../core/content.ts';
import type { RequestId } from '../core/ids.ts';

/** What was asked and answered: beside the request log, for as long as the operator wants it. */
export interface ContentPort {
  /** Keeps it for `keptMs`. A second one of the same request changes nothing. */
  keepContent(content: RequestContent, keptMs: number): Promise<void>;
  /** Null when nothing is kept of this request, or no longer. */
  findContent(id: RequestId): Promise<RequestContent | null>;
  /** Deletes the content of at most `countMax` requests whose time is over. Answers how many. */
  forgetContent(countMax: number): Promise<number>;
}
