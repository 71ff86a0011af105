CREATE TABLE "switchyard"."replica" (
	"id" text PRIMARY KEY NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL,
	"seen_at" timestamp (3) with time zone NOT NULL,
	"version" text NOT NULL,
	"config_hash" text NOT NULL,
	"price_list_version" text NOT NULL,
	"provider_rows" text NOT NULL
);
--> statement-breakpoint
-- Every replica rewrites its own row every few seconds: leave room on its page.
ALTER TABLE switchyard.replica SET (fillfactor = 50);
--> statement-breakpoint
-- The replicas seen in the last minute, by their configuration, the most common one first; without those whose registry asks
-- for the same provider rows, unless that is null.
CREATE FUNCTION switchyard.fleet_json(p_now timestamptz, p_provider_rows text) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT coalesce(jsonb_agg(jsonb_build_object('configHash', config_hash, 'replicas', replicas)
    ORDER BY replicas DESC, config_hash), '[]')
  FROM (SELECT config_hash, count(*) AS replicas FROM switchyard.replica
    WHERE seen_at > p_now - interval '1 minute' AND provider_rows IS DISTINCT FROM p_provider_rows GROUP BY config_hash) live
$$;
--> statement-breakpoint
-- Says that a replica lives. Answers how many replicas were seen in the last minute, by their configuration.
CREATE FUNCTION switchyard.beat(p jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz := switchyard.clock();
BEGIN
  -- For display only: nobody waits for the disk, and a crash may forget it.
  PERFORM set_config('synchronous_commit', 'off', true);
  INSERT INTO switchyard.replica (id, started_at, seen_at, version, config_hash, price_list_version, provider_rows)
    VALUES (p->>'replica', v_now, v_now, p->>'version', p->>'configHash', p->>'priceListVersion', p->>'providerRows')
    ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, version = excluded.version,
      config_hash = excluded.config_hash, price_list_version = excluded.price_list_version,
      provider_rows = excluded.provider_rows;
  -- Those that were killed. Skipped when another replica is at it: nobody waits for a row that is not his.
  DELETE FROM switchyard.replica WHERE id IN (
    SELECT id FROM switchyard.replica WHERE seen_at <= v_now - interval '1 day' FOR UPDATE SKIP LOCKED);
  RETURN switchyard.fleet_json(v_now, NULL);
END $$;
--> statement-breakpoint
-- As in 0001, but of every provider that any registry ever named: each replica picks those of its own registry. One that was
-- not in the registry of whoever started last was left out before, and the others could not plan without it.
CREATE OR REPLACE FUNCTION switchyard.look(p_account text) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_now timestamptz := switchyard.clock();
  v_account jsonb;
BEGIN
  SELECT jsonb_build_object('key', a.key, 'cap', a.cap::text, 'posted', a.posted::text, 'held', a.held::text,
      'period', a.period, 'periodStartedAtMs', switchyard.ms(a.period_started_at))
    INTO v_account FROM switchyard.account_now a WHERE a.key = p_account;
  RETURN jsonb_build_object('nowMs', switchyard.ms(v_now),
    'account', coalesce(v_account, switchyard.account_json(switchyard.fresh_account(p_account, v_now))),
    'providers', (SELECT jsonb_agg(switchyard.provider_json(s, v_now) ORDER BY s.position)
      FROM switchyard.provider_state s));
END $$;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION switchyard.survey() RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_now timestamptz := switchyard.clock();
BEGIN
  RETURN jsonb_build_object('nowMs', switchyard.ms(v_now), 'providers', (
    SELECT jsonb_agg(switchyard.provider_json(s, v_now) || jsonb_build_object('slotsUsed', (SELECT count(*)
      FROM switchyard.rate_slot r WHERE r.provider = s.provider AND r.free_at > v_now)) ORDER BY s.position)
    FROM switchyard.provider_state s));
END $$;
--> statement-breakpoint
-- As in 0001, and answers what it did: a fingerprint of the rows, the providers whose place or limit it changed, and the live
-- replicas that asked for other rows.
DROP FUNCTION switchyard.sync_providers(jsonb);
--> statement-breakpoint
CREATE FUNCTION switchyard.sync_providers(p jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  c jsonb;
  v_missing integer;
  v_changed text[];
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('switchyard.sync_providers'));
  WITH gone AS (
    UPDATE switchyard.provider_state SET position = NULL
      WHERE provider NOT IN (SELECT value->>'key' FROM jsonb_array_elements(p)) AND position IS NOT NULL RETURNING provider)
  SELECT coalesce(array_agg(provider ORDER BY provider), '{}') INTO v_changed FROM gone;
  FOR c IN SELECT value || jsonb_build_object('position', ordinality) FROM jsonb_array_elements(p) WITH ORDINALITY LOOP
    INSERT INTO switchyard.provider_state (provider, position, changed_at)
      VALUES (c->>'key', (c->>'position')::integer, switchyard.clock())
      ON CONFLICT (provider) DO UPDATE SET position = excluded.position
      WHERE provider_state.position IS DISTINCT FROM excluded.position;
    IF FOUND THEN v_changed := v_changed || (c->>'key'); END IF;
    SELECT (c->>'requestsPerMinute')::integer - count(*) INTO v_missing
      FROM switchyard.rate_slot WHERE provider = c->>'key';
    CONTINUE WHEN v_missing = 0;
    IF v_missing > 0 THEN
      INSERT INTO switchyard.rate_slot (provider, slot)
        SELECT c->>'key', coalesce((SELECT max(slot) FROM switchyard.rate_slot WHERE provider = c->>'key'), 0) + extra
        FROM generate_series(1, v_missing) extra;
    ELSE
      DELETE FROM switchyard.rate_slot WHERE provider = c->>'key' AND slot IN (
        SELECT slot FROM switchyard.rate_slot WHERE provider = c->>'key' ORDER BY free_at LIMIT -v_missing FOR UPDATE);
    END IF;
    IF NOT c->>'key' = ANY (v_changed) THEN v_changed := v_changed || (c->>'key'); END IF;
  END LOOP;
  RETURN jsonb_build_object('providerRows', md5(p::text), 'changed', to_jsonb(v_changed),
    'others', switchyard.fleet_json(switchyard.clock(), md5(p::text)));
END $$;
