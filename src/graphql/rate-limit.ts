import { RATE_WINDOW } from '../core/rate-window.ts';
import { builder } from './builder.ts';
import { RateLimitRef } from './refs.ts';

RateLimitRef.implement({ description: 'A rolling rate limit.' });

builder.objectFields(RateLimitRef, (t) => ({
  limit: t.exposeInt('limit', { description: 'Most requests in the window.' }),
  used: t.exposeInt('used', { description: 'Requests counted in the window now.' }),
  remaining: t.int({
    description: 'Requests still possible now.',
    // A limit that was lowered may be below what is used.
    resolve: ({ limit, used }) => Math.max(0, limit - used),
  }),
  windowMs: t.int({ description: 'Length of the window.', resolve: () => RATE_WINDOW.windowMs }),
  nextAvailableAt: t.field({
    type: 'DateTime',
    description: 'When one more request becomes possible; null when one is possible now.',
    nullable: true,
    resolve: ({ freeAtMs }) => freeAtMs,
  }),
}));
