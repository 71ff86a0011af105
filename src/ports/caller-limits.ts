import type { CallerEntry, CallerLeave, CallerWish, Entered } from '../core/caller-limits.ts';

/** What callers may use of the service in a rolling minute, and at once. Exact for all replicas together. */
export interface CallerLimitsPort {
  /** Begins a request, or says which limit stands in the way and until when: in one act. Tokens are taken as estimated. */
  enterCaller(entry: CallerEntry): Promise<Entered>;
  /** Ends it: its place is free, and its tokens are put right. Does nothing for one that never entered; one whose lease has ended may be forgotten. */
  leaveCaller(leave: CallerLeave): Promise<void>;
  /** What `enterCaller` would answer now. A question: it takes nothing. */
  askCaller(wish: CallerWish): Promise<Entered>;
  /** Forgets what counts no more, of lines that never came again too: at most `countMax` pieces of it. Answers how many. */
  forgetCallers(countMax: number): Promise<number>;
}
