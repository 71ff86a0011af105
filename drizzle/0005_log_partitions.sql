-- The request log in partitions of time, so that what is too old goes by dropping a table: no row is read for it, nothing is
-- left to vacuum. A partition that is missing never loses a request: the default partition takes it.

-- What is there is moved, however long it takes.
SET LOCAL statement_timeout = 0;
--> statement-breakpoint
-- The two tables are written in one statement and dropped together, so no row can be left alone. A foreign key would hold up
-- every drop, and cost each attempt a look-up.
ALTER TABLE switchyard.attempt DROP CONSTRAINT attempt_request_id_request_id_fk;
--> statement-breakpoint
DROP INDEX switchyard.request_created_at, switchyard.request_cost_total, switchyard.request_total_ms,
  switchyard.request_user_id_created_at, switchyard.attempt_created_at_provider;
--> statement-breakpoint
ALTER TABLE switchyard.request RENAME TO request_undivided;
--> statement-breakpoint
ALTER TABLE switchyard.attempt RENAME TO attempt_undivided;
--> statement-breakpoint
CREATE TABLE switchyard.request (
  LIKE switchyard.request_undivided,
  CONSTRAINT request_id_created_at_pk PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);
--> statement-breakpoint
CREATE INDEX request_created_at ON switchyard.request (created_at, id);
--> statement-breakpoint
CREATE INDEX request_cost_total ON switchyard.request (cost_total, id);
--> statement-breakpoint
CREATE INDEX request_total_ms ON switchyard.request (total_ms, id);
--> statement-breakpoint
CREATE INDEX request_user_id_created_at ON switchyard.request (user_id, created_at, id);
--> statement-breakpoint
CREATE TABLE switchyard.request_default PARTITION OF switchyard.request DEFAULT;
--> statement-breakpoint
CREATE TABLE switchyard.attempt (
  LIKE switchyard.attempt_undivided,
  CONSTRAINT attempt_request_id_number_created_at_pk PRIMARY KEY (request_id, number, created_at)
) PARTITION BY RANGE (created_at);
--> statement-breakpoint
CREATE INDEX attempt_created_at_provider ON switchyard.attempt (created_at, provider);
--> statement-breakpoint
CREATE TABLE switchyard.attempt_default PARTITION OF switchyard.attempt DEFAULT;
--> statement-breakpoint

-- The stretches of time that have a partition of their own, in both tables.
CREATE VIEW switchyard.log_partition AS
  SELECT substr(c.relname, length('request_') + 1) AS name, bounds[1]::timestamptz AS starts_at, bounds[2]::timestamptz AS ends_at
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid,
    -- No match, and so no row, for the default partition.
    regexp_match(pg_get_expr(c.relpartbound, c.oid), $$FROM \('(.+)'\) TO \('(.+)'\)$$) bounds
  WHERE i.inhparent = 'switchyard.request'::regclass AND bounds IS NOT NULL;
--> statement-breakpoint
-- The stretch that an instant lies in, from midnight to midnight. Stretches of a week begin on Mondays.
CREATE FUNCTION switchyard.log_stretch(p_at timestamptz, p_days integer, OUT starts_at timestamptz, OUT ends_at timestamptz)
LANGUAGE sql IMMUTABLE AS $$
  SELECT day, day + make_interval(hours => 24 * p_days)
  FROM date_bin(make_interval(days => p_days), p_at, timestamptz '2001-01-01 00:00:00+00') day
$$;
--> statement-breakpoint
-- Gives a stretch of time its partition, and moves what the default partition has of it. Answers how many requests were
-- moved. The new tables are complete before they are attached: who reads sees every row in one place, at every commit.
CREATE FUNCTION switchyard.make_log_partition(p_starts_at timestamptz, p_ends_at timestamptz) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  v_name text := to_char(p_starts_at AT TIME ZONE 'UTC', 'YYYYMMDD');
  v_table text;
  v_moved bigint;
BEGIN
  FOREACH v_table IN ARRAY ARRAY['request', 'attempt'] LOOP
    EXECUTE format('CREATE TABLE switchyard.%1$I (LIKE switchyard.%2$I INCLUDING ALL)', v_table || '_' || v_name, v_table);
  END LOOP;
  -- Who comes now waits before choosing partitions. The attaching by itself locks the default partition alone: who waited for
  -- that would have chosen before, then fail to write there, or miss what was moved.
  LOCK TABLE ONLY switchyard.request, ONLY switchyard.attempt IN ACCESS EXCLUSIVE MODE;
  FOREACH v_table IN ARRAY ARRAY['attempt', 'request'] LOOP
    EXECUTE format('WITH moved AS (DELETE FROM switchyard.%2$I WHERE created_at >= $1 AND created_at < $2 RETURNING *)
      INSERT INTO switchyard.%1$I SELECT * FROM moved', v_table || '_' || v_name, v_table || '_default')
      USING p_starts_at, p_ends_at;
    GET DIAGNOSTICS v_moved = ROW_COUNT;
    EXECUTE format('ALTER TABLE switchyard.%2$I ATTACH PARTITION switchyard.%1$I FOR VALUES FROM (%3$L) TO (%4$L)',
      v_table || '_' || v_name, v_table, p_starts_at, p_ends_at);
  END LOOP;
  RETURN v_moved;
END $$;
--> statement-breakpoint
-- Makes the next partition that is missing for the time from now to three days ahead. Null when none is, or when the default
-- partition has so many rows of today that moving them would hold up writers: then they stay there until they are old, and
-- the partition begins tomorrow.
CREATE FUNCTION switchyard.make_next_log_partition(p_days integer, p_now timestamptz) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  c_moves_max CONSTANT integer := 1000;
  v_at timestamptz;
  v_starts_at timestamptz;
  v_ends_at timestamptz;
  v_from timestamptz;
BEGIN
  FOR v_at IN SELECT generate_series(p_now, p_now + interval '72 hours', interval '24 hours') LOOP
    CONTINUE WHEN EXISTS (SELECT 1 FROM switchyard.log_partition l WHERE l.starts_at <= v_at AND v_at < l.ends_at);
    -- Partitions made while another retention was set have other widths: the new one fits in between.
    SELECT greatest(stretch.starts_at, max(l.ends_at) FILTER (WHERE l.ends_at <= v_at)),
        least(stretch.ends_at, min(l.starts_at) FILTER (WHERE l.starts_at > v_at))
      INTO v_starts_at, v_ends_at
      FROM switchyard.log_stretch(v_at, p_days) stretch LEFT JOIN switchyard.log_partition l ON true
      GROUP BY stretch.starts_at, stretch.ends_at;
    FOREACH v_from IN ARRAY ARRAY[v_starts_at, greatest(v_starts_at, date_trunc('day', v_at, 'UTC'))] LOOP
      CONTINUE WHEN c_moves_max < (SELECT count(*) FROM (SELECT 1 FROM switchyard.request_default
        WHERE created_at >= v_from AND created_at < v_ends_at LIMIT c_moves_max + 1) moving);
      RETURN format('made the partition of %s to %s and moved %s requests into it', v_from::date, v_ends_at::date,
        switchyard.make_log_partition(v_from, v_ends_at));
    END LOOP;
  END LOOP;
  RETURN NULL;
END $$;
--> statement-breakpoint
-- Drops the oldest partition when all of it is too old. Null when there is none.
CREATE FUNCTION switchyard.drop_log_partition(p_before timestamptz) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  v_old record;
BEGIN
  SELECT * INTO v_old FROM switchyard.log_partition WHERE ends_at <= p_before ORDER BY ends_at LIMIT 1;
  IF NOT FOUND THEN RETURN NULL; END IF;
  EXECUTE format('DROP TABLE switchyard.%I, switchyard.%I', 'request_' || v_old.name, 'attempt_' || v_old.name);
  RETURN format('dropped the partition of %s to %s', v_old.starts_at::date, v_old.ends_at::date);
END $$;
--> statement-breakpoint
-- Deletes requests of the default partition that are too old, with their attempts. Null when there are none.
CREATE FUNCTION switchyard.delete_old_requests(p_before timestamptz, p_count integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  v_count bigint;
BEGIN
  WITH gone AS (
    DELETE FROM switchyard.request_default r USING (SELECT id, created_at FROM switchyard.request_default
      WHERE created_at < p_before ORDER BY created_at LIMIT p_count) old
    WHERE r.id = old.id AND r.created_at = old.created_at RETURNING r.id, r.created_at
  ), gone_too AS (
    DELETE FROM switchyard.attempt_default a USING gone WHERE a.request_id = gone.id AND a.created_at = gone.created_at
  )
  SELECT count(*) INTO v_count FROM gone;
  RETURN CASE WHEN v_count > 0 THEN format('deleted %s old requests of the default partition', v_count) END;
END $$;
--> statement-breakpoint
-- Deletes holds that ended long ago. Their ledger entries stay. Null when there are none. Ids are UUIDv7, so the oldest come
-- first in the primary key; an index on ended_at would cost every settle.
CREATE FUNCTION switchyard.delete_ended_holds(p_before timestamptz, p_count integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  v_count bigint;
BEGIN
  DELETE FROM switchyard.hold WHERE id IN (SELECT id FROM switchyard.hold
    WHERE id < rpad(lpad(to_hex(switchyard.ms(p_before)), 12, '0'), 32, '0')::uuid AND state <> 'held' AND ended_at < p_before
    ORDER BY id LIMIT p_count FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS v_count = ROW_COUNT;
  RETURN CASE WHEN v_count > 0 THEN format('deleted %s holds that ended long ago', v_count) END;
END $$;
--> statement-breakpoint
-- Does the next piece of work that keeps the log in its bounds: small, in one commit, by one replica at a time. Nobody waits
-- long for it: a lock that is not to be had at once is left for another call. Books are not logs: the ledger, the audit and the
-- breakers' history are kept, and a hold is, for the 30 days in which a late settle may still correct it.
CREATE FUNCTION switchyard.keep_log(p_retention_days integer) RETURNS jsonb LANGUAGE plpgsql
SET lock_timeout = '100ms' SET TimeZone = 'UTC' AS $$
DECLARE
  c_rows_max CONSTANT integer := 5000;
  -- Few enough for a read of the whole log to find room for its locks, however long the log is kept.
  c_partitions CONSTANT integer := 14;
  c_hold_days_min CONSTANT integer := 30;
  v_now timestamptz := switchyard.clock();
  v_before timestamptz := v_now - make_interval(days => p_retention_days);
  v_what text;
  v_hindrance text;
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtext('switchyard.keep_log')) THEN RETURN '{"kind":"rested"}'; END IF;
  BEGIN
    v_what := switchyard.make_next_log_partition(ceil(p_retention_days::numeric / c_partitions)::integer, v_now);
  EXCEPTION WHEN lock_not_available OR deadlock_detected THEN v_hindrance := SQLERRM;
  END;
  BEGIN
    v_what := coalesce(v_what, switchyard.drop_log_partition(v_before));
  EXCEPTION WHEN lock_not_available OR deadlock_detected THEN v_hindrance := SQLERRM;
  END;
  v_what := coalesce(v_what, switchyard.delete_old_requests(v_before, c_rows_max),
    switchyard.delete_ended_holds(v_now - make_interval(days => greatest(p_retention_days, c_hold_days_min)), c_rows_max));
  RETURN CASE
    WHEN v_what IS NOT NULL THEN jsonb_build_object('kind', 'worked', 'what', v_what)
    WHEN v_hindrance IS NOT NULL THEN jsonb_build_object('kind', 'hindered', 'why', v_hindrance)
    ELSE '{"kind":"rested"}' END;
END $$;
--> statement-breakpoint

-- What was recorded in the last year gets partitions of a week, which is the width for the default retention.
DO $$
DECLARE
  v_week timestamptz;
BEGIN
  FOR v_week IN
    SELECT DISTINCT (switchyard.log_stretch(created_at, 7)).starts_at FROM switchyard.request_undivided
    WHERE created_at BETWEEN switchyard.clock() - interval '365 days' AND switchyard.clock() ORDER BY 1
  LOOP
    PERFORM switchyard.make_log_partition(v_week, v_week + interval '168 hours');
  END LOOP;
END $$;
--> statement-breakpoint
INSERT INTO switchyard.request SELECT * FROM switchyard.request_undivided;
--> statement-breakpoint
INSERT INTO switchyard.attempt SELECT * FROM switchyard.attempt_undivided;
--> statement-breakpoint
DROP TABLE switchyard.request_undivided, switchyard.attempt_undivided;
