-- The trace that each request belongs to, so that whoever looks at one finds the other. Requests of the time before have none. A column
-- without a default is added at once, however long the log is.
ALTER TABLE "switchyard"."request" ADD COLUMN "trace_id" text;
