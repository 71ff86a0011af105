CREATE TABLE "switchyard"."books_difference" (
	"account" text PRIMARY KEY NOT NULL,
	"held" bigint NOT NULL,
	"held_sum" numeric NOT NULL,
	"posted" bigint NOT NULL,
	"posted_sum" numeric NOT NULL,
	"found_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "switchyard"."books_place" (
	"id" integer PRIMARY KEY DEFAULT 1 NOT NULL,
	"account" text DEFAULT '' NOT NULL,
	"entry" bigint DEFAULT 0 NOT NULL,
	"posted_sum" numeric DEFAULT 0 NOT NULL,
	"round_started_at" timestamp (3) with time zone DEFAULT '-infinity' NOT NULL,
	CONSTRAINT "books_place_one_row" CHECK ("switchyard"."books_place"."id" = 1)
);
--> statement-breakpoint
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
DROP INDEX "switchyard"."ledger_entry_of_account";
--> statement-breakpoint
CREATE INDEX "ledger_entry_of_account" ON "switchyard"."ledger_entry" USING btree ("account","id","amount");
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
-- As in 0001, but of every provider that any registry ever named: each replica picks those of its own. One that was not in the
-- registry of whoever started last was left out before.
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
-- Until when slots were taken that a lowered limit removed: who raises it again meanwhile must not forget them. Null: none were.
ALTER TABLE "switchyard"."provider_state" ADD COLUMN "removed_slots_until" timestamp (3) with time zone;
--> statement-breakpoint
-- As in 0001, and answers what it did: a fingerprint of the rows, the providers whose place or limit it changed, and the live
-- replicas that asked for other rows.
DROP FUNCTION switchyard.sync_providers(jsonb);
--> statement-breakpoint
CREATE FUNCTION switchyard.sync_providers(p jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  c jsonb;
  v_names text[] := ARRAY(SELECT value->>'key' FROM jsonb_array_elements(p) WITH ORDINALITY ORDER BY ordinality);
  v_changed text[];
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('switchyard.sync_providers'));
  INSERT INTO switchyard.provider_state (provider, changed_at)
    SELECT name, switchyard.clock() FROM unnest(v_names) name ORDER BY name COLLATE "C" ON CONFLICT DO NOTHING;
  -- Only what changes is locked, by name, as everywhere: replicas start while others serve.
  v_changed := ARRAY(SELECT provider FROM switchyard.provider_state
    WHERE position IS DISTINCT FROM array_position(v_names, provider)
      OR provider IN (SELECT value->>'key' FROM jsonb_array_elements(p) WHERE (value->>'requestsPerMinute')::bigint
        <> (SELECT count(*) FROM switchyard.rate_slot r WHERE r.provider = value->>'key'))
    ORDER BY provider COLLATE "C" FOR UPDATE);
  UPDATE switchyard.provider_state SET position = array_position(v_names, provider)
    WHERE provider = ANY(v_changed) AND position IS DISTINCT FROM array_position(v_names, provider);
  FOR c IN SELECT value FROM jsonb_array_elements(p) WHERE value->>'key' = ANY(v_changed) LOOP
    PERFORM switchyard.resize_limit(c->>'key', (c->>'requestsPerMinute')::integer);
  END LOOP;
  RETURN jsonb_build_object('providerRows', md5(p::text), 'changed', to_jsonb(ARRAY(
      SELECT name FROM unnest(v_changed) name ORDER BY array_position(v_names, name) NULLS FIRST, name)),
    'others', switchyard.fleet_json(switchyard.clock(), md5(p::text)));
END $$;
--> statement-breakpoint
-- Gives a provider as many slots as its limit says. A lowered limit keeps the busiest ones, so that no window holds more than it.
-- When it is raised again, the new ones are taken for as long as the removed ones would have been: no window holds more than that
-- limit either. The provider's row is locked.
CREATE FUNCTION switchyard.resize_limit(p_provider text, p_limit integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_missing integer;
  v_now timestamptz;
  v_removed_until timestamptz;
BEGIN
  SELECT p_limit - count(*) INTO v_missing FROM switchyard.rate_slot WHERE provider = p_provider;
  IF v_missing = 0 THEN RETURN; END IF;
  IF v_missing > 0 THEN
    SELECT CASE WHEN removed_slots_until > switchyard.clock() THEN removed_slots_until ELSE '-infinity' END INTO v_removed_until
      FROM switchyard.provider_state WHERE provider = p_provider;
    INSERT INTO switchyard.rate_slot (provider, slot, free_at)
      SELECT p_provider, coalesce((SELECT max(slot) FROM switchyard.rate_slot WHERE provider = p_provider), 0) + extra, v_removed_until
      FROM generate_series(1, v_missing) extra;
    RETURN;
  END IF;
  -- All of them, so that none is taken between the choice and the end of it. Nobody waits for a slot: whoever comes meanwhile is
  -- told to come again in a moment.
  PERFORM 1 FROM switchyard.rate_slot WHERE provider = p_provider FOR UPDATE;
  v_now := switchyard.clock();
  WITH removed AS (
    DELETE FROM switchyard.rate_slot WHERE provider = p_provider AND slot IN (
      SELECT slot FROM switchyard.rate_slot WHERE provider = p_provider ORDER BY free_at LIMIT -v_missing) RETURNING free_at
  ) SELECT max(free_at) INTO v_removed_until FROM removed WHERE free_at > v_now;
  UPDATE switchyard.provider_state SET removed_slots_until = greatest(removed_slots_until, v_removed_until)
    WHERE provider = p_provider AND v_removed_until IS NOT NULL;
END $$;
--> statement-breakpoint
INSERT INTO switchyard.books_place (id) VALUES (1);
--> statement-breakpoint
-- Looks at the next accounts: is what is held the sum of the open holds, and what is posted the sum of the ledger? One replica
-- at a time, and no more accounts and entries than asked for. The entries of one account are made under the lock of its row,
-- so their ids grow in the order of commits, and a long ledger can be summed in pieces: what was summed does not change.
-- Nothing is sorted, so that the order can only come from the index that begins at the right place: the planner takes ledgers
-- for short, and would read a long one to its end for every piece. Nor is anything compiled: each statement reads little.
CREATE FUNCTION switchyard.check_books(p_accounts integer, p_entries integer, p_rest_ms double precision) RETURNS jsonb
LANGUAGE plpgsql SET enable_sort = off SET enable_incremental_sort = off SET jit = off AS $$
DECLARE
  v_now timestamptz := switchyard.clock();
  v_is_mine boolean := pg_try_advisory_xact_lock(hashtext('switchyard.check_books'));
  v_place switchyard.books_place;
  v_accounts integer := 0;
  v_left integer := p_entries;
  v_differences jsonb := '[]';
  v_balanced jsonb := '[]';
  v_is_done boolean := false;
  a record;
BEGIN
  SELECT * INTO v_place FROM switchyard.books_place;
  IF NOT v_is_mine OR (v_place.account = '' AND v_place.round_started_at > v_now - switchyard.span(p_rest_ms)) THEN
    RETURN jsonb_build_object('kind', 'notDue', 'differencesKnown', (SELECT count(*) FROM switchyard.books_difference));
  END IF;
  IF v_place.account = '' THEN v_place.round_started_at := v_now; END IF;
  WHILE v_accounts < p_accounts AND v_left > 0 LOOP
    -- One statement, so one snapshot: every act on the account is seen whole or not at all.
    SELECT next.key, next.held, next.posted, read.entries, read.amount, read.last,
        (SELECT coalesce(sum(h.amount), 0) FROM (SELECT amount FROM switchyard.hold
          WHERE account BETWEEN next.key AND next.key AND state = 'held' ORDER BY account) h) AS held_sum
      INTO a
      FROM (SELECT key, held, posted FROM switchyard.account
          WHERE key >= v_place.account AND (key > v_place.account OR v_place.entry > 0) ORDER BY key LIMIT 1) next,
        LATERAL (SELECT count(*) AS entries, coalesce(sum(e.amount), 0) AS amount, max(e.id) AS last
          FROM (SELECT id, amount FROM switchyard.ledger_entry WHERE account <= next.key
              AND (account, id) > (next.key, CASE WHEN next.key = v_place.account THEN v_place.entry ELSE 0 END)
            ORDER BY account, id LIMIT v_left) e) read;
    IF NOT FOUND THEN
      v_is_done := true;
      v_place.account := ''; v_place.entry := 0; v_place.posted_sum := 0;
      DELETE FROM switchyard.books_difference d WHERE NOT EXISTS (SELECT 1 FROM switchyard.account WHERE key = d.account);
      EXIT;
    END IF;
    IF a.key <> v_place.account THEN v_place.account := a.key; v_place.posted_sum := 0; END IF;
    v_place.posted_sum := v_place.posted_sum + a.amount;
    IF a.entries = v_left THEN
      v_place.entry := a.last;
      EXIT;
    END IF;
    v_left := v_left - a.entries;
    v_accounts := v_accounts + 1;
    v_place.entry := 0;
    IF a.held <> a.held_sum OR a.posted <> v_place.posted_sum THEN
      INSERT INTO switchyard.books_difference (account, held, held_sum, posted, posted_sum, found_at)
        VALUES (a.key, a.held, a.held_sum, a.posted, v_place.posted_sum, v_now)
        ON CONFLICT (account) DO UPDATE SET held = excluded.held, held_sum = excluded.held_sum,
          posted = excluded.posted, posted_sum = excluded.posted_sum;
      v_differences := v_differences || jsonb_build_object('account', a.key, 'held', a.held::text,
        'heldSum', a.held_sum::text, 'posted', a.posted::text, 'postedSum', v_place.posted_sum::text);
    ELSE
      DELETE FROM switchyard.books_difference WHERE account = a.key;
      IF FOUND THEN v_balanced := v_balanced || to_jsonb(a.key); END IF;
    END IF;
  END LOOP;
  UPDATE switchyard.books_place SET account = v_place.account, entry = v_place.entry, posted_sum = v_place.posted_sum,
    round_started_at = v_place.round_started_at;
  RETURN jsonb_build_object('kind', 'checked', 'accounts', v_accounts, 'differences', v_differences,
    'balancedAgain', v_balanced, 'isRoundDone', v_is_done,
    'differencesKnown', (SELECT count(*) FROM switchyard.books_difference));
END $$;
