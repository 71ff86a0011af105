CREATE TABLE "switchyard"."replica" (
	"id" text PRIMARY KEY NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL,
	"seen_at" timestamp (3) with time zone NOT NULL,
	"version" text NOT NULL,
	"config_hash" text NOT NULL,
	"price_list_version" text NOT NULL
);
--> statement-breakpoint
-- Every replica rewrites its own row every few seconds: leave room on its page.
ALTER TABLE switchyard.replica SET (fillfactor = 50);
--> statement-breakpoint
-- Says that a replica lives. Answers how many replicas were seen in the last minute, by their configuration.
CREATE FUNCTION switchyard.beat(p jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz := switchyard.clock();
BEGIN
  -- For display only: nobody waits for the disk, and a crash may forget it.
  PERFORM set_config('synchronous_commit', 'off', true);
  INSERT INTO switchyard.replica (id, started_at, seen_at, version, config_hash, price_list_version)
    VALUES (p->>'replica', v_now, v_now, p->>'version', p->>'configHash', p->>'priceListVersion')
    ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, version = excluded.version,
      config_hash = excluded.config_hash, price_list_version = excluded.price_list_version;
  -- Those that were killed. Skipped when another replica is at it: nobody waits for a row that is not his.
  DELETE FROM switchyard.replica WHERE id IN (
    SELECT id FROM switchyard.replica WHERE seen_at <= v_now - interval '1 day' FOR UPDATE SKIP LOCKED);
  RETURN (SELECT jsonb_agg(jsonb_build_object('configHash', config_hash, 'replicas', replicas)
      ORDER BY replicas DESC, config_hash)
    FROM (SELECT config_hash, count(*) AS replicas FROM switchyard.replica
      WHERE seen_at > v_now - interval '1 minute' GROUP BY config_hash) live);
END $$;
