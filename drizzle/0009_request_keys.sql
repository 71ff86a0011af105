-- Which key each request came with, so that a key is shown what it sent and what its account pays, and nothing else. Requests of the
-- time before keys have none.

-- Indexes of a long log take their time.
SET LOCAL statement_timeout = 0;
--> statement-breakpoint
ALTER TABLE switchyard.request ADD COLUMN key_id text, ADD COLUMN key_line text;
--> statement-breakpoint
CREATE INDEX request_account_created_at ON switchyard.request (account, created_at, id);
--> statement-breakpoint
-- Of nothing, and free, as long as requests come without keys.
CREATE INDEX request_key_line_created_at ON switchyard.request (key_line, created_at, id) WHERE key_line IS NOT NULL;
--> statement-breakpoint
-- A filter asks for a key or a line: one without an index would have the whole log read.
CREATE INDEX request_key_id_created_at ON switchyard.request (key_id, created_at, id) WHERE key_id IS NOT NULL;
