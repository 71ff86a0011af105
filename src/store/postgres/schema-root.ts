import { pgSchema } from 'drizzle-orm/pg-core';

/** Everything of ours lives in one schema of its own, beside whatever else the database holds. */
export const switchyard = pgSchema('switchyard');
