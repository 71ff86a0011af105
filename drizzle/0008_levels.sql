-- Several accounts pay for one attempt: the payer's, and those of its key and its team. A hold is held on all of them, or not made. They
-- are locked in the one order of all accounts, all are asked, and then all are written. Each has its own entries in the ledger.

-- In the order in which acts lock them: who looks has the view before the account, and must not be met from the other side.
LOCK TABLE "switchyard"."hold";
--> statement-breakpoint
LOCK TABLE "switchyard"."account_now";
--> statement-breakpoint
ALTER TABLE "switchyard"."hold" ADD COLUMN "also" text[];
--> statement-breakpoint
ALTER TABLE "switchyard"."account" ADD COLUMN "under_default" boolean DEFAULT false NOT NULL;
--> statement-breakpoint
-- For the check of the books. Of holds that one account pays there is nothing in them.
CREATE INDEX "hold_of_first_also" ON "switchyard"."hold" USING btree (("also"[1])) WHERE state = 'held' and also is not null;
--> statement-breakpoint
CREATE INDEX "hold_of_second_also" ON "switchyard"."hold" USING btree (("also"[2])) WHERE state = 'held' and also is not null;
--> statement-breakpoint
-- As in 0001, and says whether the default cap is in force while there is no other.
CREATE OR REPLACE VIEW switchyard.account_now AS
  SELECT a.key, a.cap, a.held, a.period,
    CASE WHEN due THEN 0 ELSE a.posted END AS posted,
    CASE WHEN due THEN switchyard.period_start(a.period, now) ELSE a.period_started_at END AS period_started_at,
    a.under_default OR a.key LIKE 'user:%' AS is_under_default
  FROM (SELECT switchyard.clock() AS now) clock,
    LATERAL (SELECT *, resets_at IS NOT NULL AND resets_at <= now AS due FROM switchyard.account) a;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION switchyard.account_json(a switchyard.account) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT jsonb_build_object('key', a.key, 'cap', a.cap::text, 'isUnderDefault', a.under_default OR a.key LIKE 'user:%',
    'posted', a.posted::text, 'held', a.held::text, 'period', a.period, 'periodStartedAtMs', switchyard.ms(a.period_started_at))
$$;
--> statement-breakpoint
CREATE FUNCTION switchyard.account_json(a switchyard.account_now) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT jsonb_build_object('key', a.key, 'cap', a.cap::text, 'isUnderDefault', a.is_under_default,
    'posted', a.posted::text, 'held', a.held::text, 'period', a.period, 'periodStartedAtMs', switchyard.ms(a.period_started_at))
$$;
--> statement-breakpoint
-- An account that was never used.
CREATE OR REPLACE FUNCTION switchyard.fresh_account(p_key text, p_now timestamptz) RETURNS switchyard.account LANGUAGE plpgsql STABLE AS $$
DECLARE
  fresh switchyard.account;
BEGIN
  fresh.key := p_key; fresh.posted := 0; fresh.held := 0; fresh.period := 'total'; fresh.period_started_at := p_now;
  fresh.under_default := false;
  RETURN fresh;
END $$;
--> statement-breakpoint
-- Everybody who pays for a hold.
CREATE FUNCTION switchyard.payers_of(h switchyard.hold) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
  SELECT array_prepend(h.account, h.also)
$$;
--> statement-breakpoint
DROP FUNCTION switchyard.settle_all(jsonb, switchyard.hold[], switchyard.provider_state[], text[], text, timestamptz);
--> statement-breakpoint
-- As in 0002, for all who pay. `p_keys` are their accounts, of all holds together, and locked.
CREATE FUNCTION switchyard.settle_all(
  p_settles jsonb, p_holds switchyard.hold[], p_keys text[], p_states switchyard.provider_state[], p_locked text[], p_replica text,
  p_now timestamptz
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_states switchyard.provider_state[] := p_states;
  v_names text[] := ARRAY(SELECT provider FROM unnest(p_states) WITH ORDINALITY ORDER BY ordinality);
  v_keys text[];
  v_posted bigint[];
  v_held bigint[];
  v_period_started_at timestamptz[];
  v_answers jsonb[] := '{}';
  v_said jsonb;
  v_charge jsonb;
  v_hold switchyard.hold;
  v_state switchyard.provider_state;
  v_told record;
  v_transition jsonb;
  v_is_stale boolean;
  v_spent bigint;
  v_moved bigint;
  v_key text;
  s integer;
  a integer;
  n integer := 0;
  o_id uuid[] := '{}'; o_state text[] := '{}'; o_account text[] := '{}'; o_moved bigint[] := '{}'; o_kind text[] := '{}';
  o_evidence text[] := '{}'; o_overrun bigint[] := '{}';
BEGIN
  SELECT array_agg(x.key), array_agg(x.posted), array_agg(0), array_agg(x.period_started_at)
    INTO v_keys, v_posted, v_held, v_period_started_at FROM switchyard.account x
    WHERE x.key = ANY(p_keys);
  FOR at IN 1 .. jsonb_array_length(p_settles) LOOP
    v_said := p_settles->(at - 1);
    v_hold := p_holds[at];
    IF v_hold.id IS NULL THEN
      v_answers[at] := '{"kind": "unknownHold"}';
      CONTINUE;
    END IF;
    IF v_hold.state NOT IN ('held', 'expired') OR v_hold.id = ANY(o_id) THEN
      v_answers[at] := '{"kind": "alreadySettled"}';
      CONTINUE;
    END IF;
    s := array_position(v_names, v_hold.provider);
    v_state := v_states[s];
    v_transition := NULL;
    IF v_hold.provider = ANY(p_locked) THEN
      IF v_said->>'throttledForMs' IS NOT NULL OR v_said->>'setAside' IS NOT NULL THEN
        UPDATE switchyard.provider_state SET
          throttled_until = coalesce(p_now + switchyard.span((v_said->>'throttledForMs')::double precision), throttled_until),
          set_aside_until = CASE WHEN v_said->>'setAside' IS NULL THEN set_aside_until ELSE p_now + interval '10 minutes' END,
          set_aside_detail = coalesce(v_said->>'setAside', set_aside_detail)
        WHERE provider = v_hold.provider RETURNING * INTO v_state;
      END IF;
      v_is_stale := NOT switchyard.is_current(v_state, v_hold);
      IF NOT v_is_stale AND NOT switchyard.is_no_news(v_state, v_said->'verdict') THEN
        v_told := switchyard.breaker_after(v_state, v_hold.started_at, v_said->'verdict', (v_said->>'jitter')::double precision, p_now);
        v_transition := switchyard.keep_breaker(v_state, v_told.after, v_told.cause, NULL, p_replica, p_now);
        v_state := v_told.after;
      END IF;
      v_states[s] := v_state;
    ELSE
      v_is_stale := NOT switchyard.is_current(v_state, v_hold);
    END IF;

    v_charge := v_said->'charge';
    v_spent := CASE v_charge->>'kind' WHEN 'spent' THEN (v_charge->>'amount')::bigint WHEN 'hold' THEN v_hold.amount ELSE 0 END;
    a := array_position(v_keys, v_hold.account);
    n := n + 1;
    v_moved := switchyard.posted_by_end(v_hold, v_spent, v_posted[a], v_period_started_at[a]);
    IF v_hold.state = 'held' THEN
      v_held[a] := v_held[a] + v_hold.amount;
      o_kind[n] := 'settled';
    ELSE
      o_kind[n] := 'correction';
    END IF;
    v_posted[a] := v_posted[a] + v_moved;
    o_id[n] := v_hold.id;
    o_state[n] := CASE v_charge->>'kind' WHEN 'nothing' THEN 'voided' ELSE 'posted' END;
    o_account[n] := v_hold.account;
    o_moved[n] := v_moved;
    o_evidence[n] := coalesce(v_charge->>'source', CASE v_charge->>'kind' WHEN 'hold' THEN 'estimated' ELSE 'nothing' END);
    o_overrun[n] := greatest(v_spent - v_hold.amount, 0);
    v_answers[at] := jsonb_build_object('kind', 'settled', 'posted', v_spent::text, 'overrun', o_overrun[n]::text,
      'transition', v_transition, 'isStale', v_is_stale OR v_hold.state <> 'held', 'account', a - 1);
    IF v_hold.also IS NOT NULL THEN
      v_answers[at] := v_answers[at] || jsonb_build_object('also',
        (SELECT jsonb_agg(array_position(v_keys, payer) - 1 ORDER BY place) FROM unnest(v_hold.also) WITH ORDINALITY also(payer, place)));
      FOREACH v_key IN ARRAY v_hold.also LOOP
        a := array_position(v_keys, v_key);
        n := n + 1;
        v_moved := switchyard.posted_by_end(v_hold, v_spent, v_posted[a], v_period_started_at[a]);
        IF v_hold.state = 'held' THEN v_held[a] := v_held[a] + v_hold.amount; END IF;
        v_posted[a] := v_posted[a] + v_moved;
        o_account[n] := v_key;
        o_moved[n] := v_moved;
        o_id[n] := o_id[n - 1]; o_state[n] := o_state[n - 1]; o_kind[n] := o_kind[n - 1];
        o_evidence[n] := o_evidence[n - 1]; o_overrun[n] := o_overrun[n - 1];
      END LOOP;
    END IF;
  END LOOP;
  UPDATE switchyard.hold SET state = ended.state, ended_at = p_now
    FROM unnest(o_id, o_state) ended(id, state) WHERE hold.id = ended.id;
  UPDATE switchyard.account SET posted = moved.posted, held = account.held - moved.held
    FROM unnest(v_keys, v_posted, v_held) moved(key, posted, held) WHERE account.key = moved.key;
  INSERT INTO switchyard.ledger_entry (account, hold_id, amount, kind, evidence, overrun, at)
    SELECT e.*, p_now FROM unnest(o_account, o_id, o_moved, o_kind, o_evidence, o_overrun) e;
  RETURN jsonb_build_object('answers', to_jsonb(v_answers), 'accounts', (
    SELECT jsonb_agg(switchyard.account_json(x) ORDER BY k.place)
    FROM unnest(v_keys) WITH ORDINALITY k(key, place) JOIN switchyard.account x ON x.key = k.key));
END $$;
--> statement-breakpoint
-- What is held for those who pay along, after an act; `admit_all`, which tells it, stands in 0011 with the shares.
CREATE FUNCTION switchyard.also_held_json(p_also integer[], p_held bigint[]) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT jsonb_build_object('alsoHeld', jsonb_agg(p_held[i]::text ORDER BY place)) FROM unnest(p_also) WITH ORDINALITY payer(i, place)
$$;
--> statement-breakpoint
-- As in 0002; `account_json` has the words.
CREATE OR REPLACE FUNCTION switchyard.look_all(p_accounts jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_now timestamptz := switchyard.clock();
BEGIN
  RETURN jsonb_build_object('nowMs', switchyard.ms(v_now),
    'accounts', (SELECT jsonb_agg(CASE WHEN a.key IS NULL
        THEN switchyard.account_json(switchyard.fresh_account(wanted.key, v_now))
        ELSE switchyard.account_json(a) END ORDER BY place)
      FROM jsonb_array_elements_text(p_accounts) WITH ORDINALITY wanted(key, place)
      LEFT JOIN switchyard.account_now a ON a.key = wanted.key),
    'providers', (SELECT jsonb_agg(switchyard.provider_json(s, v_now) ORDER BY s.position)
      FROM switchyard.provider_state s));
END $$;
--> statement-breakpoint
-- As in 0002, for all who pay.
CREATE OR REPLACE FUNCTION switchyard.reap(p_count integer) RETURNS jsonb LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  v_now timestamptz := switchyard.clock();
  v_due switchyard.hold[];
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtext('switchyard.reap')) THEN RETURN '[]'; END IF;
  v_due := ARRAY(SELECT h FROM switchyard.hold h WHERE state = 'held' AND expires_at <= v_now
    ORDER BY expires_at LIMIT p_count FOR UPDATE SKIP LOCKED);
  IF cardinality(v_due) = 0 THEN RETURN '[]'; END IF;
  PERFORM switchyard.lock_accounts(ARRAY(SELECT unnest(switchyard.payers_of(h)) FROM unnest(v_due) h));
  -- Only now: what is posted to a period that began during the wait must not look older than it.
  v_now := switchyard.clock();
  UPDATE switchyard.hold SET state = 'expired', ended_at = v_now WHERE id IN (SELECT id FROM unnest(v_due));
  UPDATE switchyard.account SET posted = posted + due.amount, held = held - due.amount
    FROM (SELECT payer, sum(amount)::bigint AS amount FROM unnest(v_due) h, unnest(switchyard.payers_of(h)) payer GROUP BY payer) due
    WHERE key = due.payer;
  INSERT INTO switchyard.ledger_entry (account, hold_id, amount, kind, evidence, at)
    SELECT payer, id, amount, 'unconfirmed', 'nobody settled it in time', v_now FROM unnest(v_due) h, unnest(switchyard.payers_of(h)) payer;
  RETURN (SELECT jsonb_agg(jsonb_build_object('holdId', id, 'requestId', request_id, 'account', account, 'amount', amount::text))
    FROM unnest(v_due));
END $$;
--> statement-breakpoint
-- As in 0003; the open holds of an account are those that it pays, alone, first or along.
CREATE OR REPLACE FUNCTION switchyard.check_books(p_accounts integer, p_entries integer, p_rest_ms double precision) RETURNS jsonb
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
          WHERE account BETWEEN next.key AND next.key AND state = 'held' ORDER BY account) h)
        + (SELECT coalesce(sum(h.amount), 0) FROM (SELECT amount FROM switchyard.hold
          WHERE also[1] BETWEEN next.key AND next.key AND state = 'held' AND also IS NOT NULL ORDER BY also[1]) h)
        + (SELECT coalesce(sum(h.amount), 0) FROM (SELECT amount FROM switchyard.hold
          WHERE also[2] BETWEEN next.key AND next.key AND state = 'held' AND also IS NOT NULL ORDER BY also[2]) h) AS held_sum
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
--> statement-breakpoint
-- As in 0006, for all whose money a slice is.
CREATE OR REPLACE FUNCTION switchyard.give_back_slices(p_replica text, p_keep uuid[]) RETURNS integer LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  v_slices switchyard.hold[];
  v_slice switchyard.hold;
  v_payer text;
  v_moved bigint;
  v_now timestamptz;
BEGIN
  v_slices := ARRAY(SELECT h FROM switchyard.hold h WHERE replica = p_replica AND provider = '' AND state IN ('held', 'expired')
    AND id <> ALL(p_keep) ORDER BY id FOR UPDATE);
  IF cardinality(v_slices) = 0 THEN RETURN 0; END IF;
  PERFORM switchyard.lock_accounts(ARRAY(SELECT unnest(switchyard.payers_of(h)) FROM unnest(v_slices) h));
  v_now := switchyard.clock();
  FOREACH v_slice IN ARRAY v_slices LOOP
    FOREACH v_payer IN ARRAY switchyard.payers_of(v_slice) LOOP
      SELECT switchyard.posted_by_end(v_slice, 0, posted, period_started_at) INTO v_moved
        FROM switchyard.account WHERE key = v_payer;
      UPDATE switchyard.account SET posted = posted + v_moved,
        held = held - CASE v_slice.state WHEN 'held' THEN v_slice.amount ELSE 0 END WHERE key = v_payer;
      INSERT INTO switchyard.ledger_entry (account, hold_id, amount, kind, evidence, at) VALUES (v_payer, v_slice.id, v_moved,
        CASE v_slice.state WHEN 'held' THEN 'settled' ELSE 'correction' END, 'nothing', v_now);
    END LOOP;
  END LOOP;
  UPDATE switchyard.hold SET state = 'voided', ended_at = v_now WHERE id IN (SELECT id FROM unnest(v_slices));
  RETURN cardinality(v_slices);
END $$;
--> statement-breakpoint
-- Who is to pay, as a wish says it.
CREATE FUNCTION switchyard.payers_of(p_wish jsonb) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
  SELECT array_prepend(p_wish->>'account', ARRAY(
    SELECT value FROM jsonb_array_elements_text(p_wish->'also') WITH ORDINALITY ORDER BY ordinality))
$$;
--> statement-breakpoint
-- What a replica has reserved, by who pays.
CREATE FUNCTION switchyard.reserved_by(p_replica text) RETURNS TABLE (payers text[], amount bigint) LANGUAGE sql STABLE AS $$
  SELECT switchyard.payers_of(h), sum(h.amount)::bigint FROM switchyard.hold h
    WHERE replica = p_replica AND provider = '' AND state = 'held' GROUP BY 1
$$;
--> statement-breakpoint
-- Takes slices, each from all whose money it is. What a replica has reserved of an account for others, such as other users of one team, is
-- part of what may be reserved of it: it is read once, and counted along from there. The accounts are locked.
CREATE FUNCTION switchyard.take_slices(p jsonb, p_now timestamptz, p_expires_at timestamptz) RETURNS void
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  v_keys text[];
  v_caps bigint[];
  v_used bigint[];
  v_reserved bigint[];
  v_parts bigint := p->>'partsOfAvailable';
  v_amount bigint;
  v_payers integer[];
  v_wish record;
  i integer;
  n integer := 0;
  o_id uuid[] := '{}';
  o_account text[] := '{}';
  o_also text[] := '{}';
  o_amount bigint[] := '{}';
BEGIN
  SELECT array_agg(a.key), array_agg(a.cap), array_agg(a.posted + a.held), array_agg(coalesce(ours.amount, 0))
    INTO v_keys, v_caps, v_used, v_reserved
    FROM (SELECT DISTINCT unnest(switchyard.payers_of(value)) AS key FROM jsonb_array_elements(p->'take')) payer
      JOIN switchyard.account a ON a.key = payer.key
      LEFT JOIN (SELECT unnest(payers) AS key, sum(amount)::bigint AS amount FROM switchyard.reserved_by(p->>'replica') GROUP BY 1) ours
        ON ours.key = payer.key;
  FOR v_wish IN SELECT (value->>'id')::uuid AS id, wish.payers, (value->>'defaultCap')::bigint AS default_cap, coalesce(own.amount, 0) AS own
      FROM (SELECT value, place, switchyard.payers_of(value) AS payers
          FROM jsonb_array_elements(p->'take') WITH ORDINALITY take(value, place)) wish
        LEFT JOIN switchyard.reserved_by(p->>'replica') own ON own.payers = wish.payers
      ORDER BY place LOOP
    v_payers := ARRAY(SELECT array_position(v_keys, key) FROM unnest(v_wish.payers) WITH ORDINALITY payer(key, place) ORDER BY place);
    SELECT least((p->>'amountMax')::bigint, min((unspent + others) / v_parts - others)) INTO v_amount FROM (
      SELECT coalesce(v_caps[payer.i], CASE WHEN place = 1 THEN v_wish.default_cap END) - v_used[payer.i] AS unspent,
          v_reserved[payer.i] - v_wish.own AS others
        FROM unnest(v_payers) WITH ORDINALITY payer(i, place)) accounts;
    CONTINUE WHEN v_amount < (p->>'amountMin')::bigint;
    FOREACH i IN ARRAY v_payers LOOP
      v_used[i] := v_used[i] + v_amount;
      v_reserved[i] := v_reserved[i] + v_amount;
    END LOOP;
    n := n + 1;
    o_id[n] := v_wish.id;
    o_account[n] := v_wish.payers[1];
    o_also[n] := nullif(v_wish.payers[2:], '{}')::text;
    o_amount[n] := v_amount;
  END LOOP;
  INSERT INTO switchyard.hold (id, request_id, attempt, account, also, provider, model, amount, epoch, is_probe, started_at, expires_at, replica)
    SELECT id, id, 0, account, also::text[], '', 'slice', amount, 0, false, p_now, p_expires_at, p->>'replica'
    FROM unnest(o_id, o_account, o_also, o_amount) taken(id, account, also, amount);
  UPDATE switchyard.account SET held = now.used - posted FROM unnest(v_keys, v_used) now(key, used)
    WHERE account.key = now.key AND account.held <> now.used - posted;
END $$;
--> statement-breakpoint
-- As in 0006, for all who pay.
CREATE OR REPLACE FUNCTION switchyard.reserve(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  v_replica text := p->>'replica';
  v_keep uuid[] := ARRAY(SELECT value::uuid FROM jsonb_array_elements_text(p->'keep'));
  v_lease interval := switchyard.span((p->>'leaseMs')::double precision);
  v_expires interval := v_lease + switchyard.span((p->>'graceMs')::double precision);
  v_now timestamptz;
  v_ours uuid[];
  v_slots jsonb;
BEGIN
  -- First, because it can take a while: no account is locked meanwhile. Nobody waits for slots, so their order does not matter.
  v_slots := switchyard.reserve_slots(p->'slots', switchyard.clock(), v_lease);
  PERFORM 1 FROM switchyard.hold WHERE replica = v_replica AND provider = '' AND state IN ('held', 'expired') ORDER BY id FOR UPDATE;
  PERFORM switchyard.lock_accounts(ARRAY(
    SELECT unnest(switchyard.payers_of(h)) FROM switchyard.hold h
      WHERE replica = v_replica AND provider = '' AND state IN ('held', 'expired') AND id <> ALL(v_keep)
    UNION SELECT unnest(switchyard.payers_of(value)) FROM jsonb_array_elements(p->'take')));
  PERFORM switchyard.give_back_slices(v_replica, v_keep);
  v_now := switchyard.clock();
  PERFORM switchyard.take_slices(p, v_now, v_now + v_expires);
  WITH renewed AS (
    UPDATE switchyard.hold SET expires_at = v_now + v_expires
      WHERE state = 'held' AND replica = v_replica AND id IN (SELECT value::uuid FROM jsonb_array_elements_text(p->'renew')) RETURNING id
  ) SELECT array_agg(id) INTO v_ours FROM (SELECT id FROM renewed
    UNION ALL SELECT id FROM switchyard.hold WHERE id IN (SELECT (value->>'id')::uuid FROM jsonb_array_elements(p->'take'))) ours;
  RETURN jsonb_build_object('nowMs', switchyard.ms(v_now), 'slots', v_slots,
    -- The payer's account stands there twice: replicas of the version before read only `account`.
    'slices', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', h.id, 'amount', h.amount::text,
        'account', (SELECT switchyard.account_json(a) FROM switchyard.account_now a WHERE a.key = h.account),
        'accounts', (SELECT jsonb_agg(switchyard.account_json(a) ORDER BY place)
          FROM unnest(switchyard.payers_of(h)) WITH ORDINALITY payer(key, place) JOIN switchyard.account_now a ON a.key = payer.key))), '[]')
      FROM switchyard.hold h WHERE h.id = ANY(v_ours)),
    'providers', (SELECT coalesce(jsonb_agg(switchyard.provider_json(s, v_now) || jsonb_build_object('free', (SELECT count(*)
        FROM switchyard.rate_slot r WHERE r.provider = s.provider AND r.free_at <= v_now)) ORDER BY s.position), '[]')
      FROM switchyard.provider_state s WHERE s.position IS NOT NULL));
END $$;
--> statement-breakpoint
-- As in 0006; who pays for an attempt is who its slice is of.
CREATE OR REPLACE FUNCTION switchyard.draw_all(p_settles jsonb, p_replica text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz := switchyard.clock();
  v_held jsonb := '[]';
  v_slice switchyard.hold;
  v_charge jsonb;
  v_amount bigint;
  v_paid bigint;
  v_is_expired boolean;
  v_payer text;
  d jsonb;
  said jsonb;
BEGIN
  PERFORM 1 FROM switchyard.hold WHERE id IN (SELECT (value->'drawn'->>'slice')::uuid FROM jsonb_array_elements(p_settles))
    ORDER BY id FOR UPDATE;
  FOR said IN SELECT value FROM jsonb_array_elements(p_settles) WHERE value ? 'drawn' ORDER BY value->>'holdId' LOOP
    CONTINUE WHEN EXISTS (SELECT 1 FROM switchyard.hold WHERE id = (said->>'holdId')::uuid);
    d := said->'drawn';
    v_charge := said->'charge';
    v_amount := d->>'amount';
    SELECT * INTO v_slice FROM switchyard.hold WHERE id = (d->>'slice')::uuid AND provider = '' AND account = d->>'account';
    -- Ended so long ago that it is not kept any more: it was posted then, in part or in full, and its attempts with it.
    CONTINUE WHEN NOT FOUND;
    v_is_expired := v_slice.state = 'expired';
    v_paid := CASE WHEN v_slice.state IN ('held', 'expired') THEN least(v_slice.amount, v_amount, CASE v_charge->>'kind'
      WHEN 'spent' THEN (v_charge->>'amount')::bigint WHEN 'hold' THEN v_amount ELSE 0 END) ELSE 0 END;
    UPDATE switchyard.hold SET amount = amount - v_paid WHERE id = v_slice.id AND v_paid > 0;
    INSERT INTO switchyard.hold (id, slice_id, request_id, attempt, account, also, provider, model, amount, state, epoch, is_probe,
        started_at, expires_at, ended_at, replica)
      VALUES ((said->>'holdId')::uuid, (d->>'slice')::uuid, (d->>'requestId')::uuid, (d->>'attempt')::integer, d->>'account',
        v_slice.also, d->>'provider', d->>'model', CASE WHEN v_is_expired THEN v_paid ELSE v_amount END,
        CASE WHEN v_is_expired THEN 'expired' ELSE 'held' END, (d->>'epoch')::integer, false,
        timestamptz 'epoch' + switchyard.span((d->>'startedAtMs')::double precision), v_now,
        CASE WHEN v_is_expired THEN v_slice.ended_at END, p_replica);
    IF NOT v_is_expired THEN
      FOREACH v_payer IN ARRAY switchyard.payers_of(v_slice) LOOP
        v_held := v_held || jsonb_build_object('account', v_payer, 'held', (v_amount - v_paid)::text);
      END LOOP;
    END IF;
  END LOOP;
  RETURN v_held;
END $$;
--> statement-breakpoint
-- As in 0006, for all who pay.
CREATE OR REPLACE FUNCTION switchyard.exchange(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  v_settles jsonb := coalesce(p->'settles', '[]');
  v_is_settling boolean := jsonb_array_length(v_settles) > 0;
  v_is_admitting boolean := jsonb_array_length(coalesce(p->'admissions', '[]')) > 0;
  v_holds switchyard.hold[] := '{}';
  v_keys text[] := '{}';
  v_drawn jsonb := '[]';
  v_breakers record;
  v_now timestamptz;
  v_settled jsonb;
  v_admitted jsonb;
BEGIN
  IF v_is_settling THEN
    IF v_settles @? '$[*].drawn' THEN v_drawn := switchyard.draw_all(v_settles, p->>'replica'); END IF;
    v_holds := switchyard.lock_holds(v_settles);
    v_settles := switchyard.settles_in_time(v_settles, v_holds);
    v_breakers := switchyard.lock_breakers(v_settles, v_holds);
    v_keys := ARRAY(SELECT account FROM unnest(v_holds) WHERE id IS NOT NULL UNION SELECT unnest(also) FROM unnest(v_holds));
  END IF;
  IF v_is_settling OR v_is_admitting THEN
    PERFORM switchyard.lock_accounts(v_keys || ARRAY(SELECT value FROM jsonb_array_elements_text(p->'accounts')));
  END IF;
  IF jsonb_array_length(v_drawn) > 0 THEN
    UPDATE switchyard.account SET held = account.held + drawn.held
      FROM (SELECT value->>'account' AS key, sum((value->>'held')::bigint)::bigint AS held FROM jsonb_array_elements(v_drawn) GROUP BY 1) drawn
      WHERE account.key = drawn.key;
  END IF;
  -- Only now: who waited for a lock must not take a slot of an instant that has passed.
  v_now := switchyard.clock();
  IF v_is_settling THEN
    v_settled := switchyard.settle_all(v_settles, v_holds, v_keys, v_breakers.states, v_breakers.locked, p->>'replica', v_now);
  END IF;
  IF v_is_admitting THEN v_admitted := switchyard.admit_all(p, v_now); END IF;
  RETURN jsonb_build_object('settled', v_settled, 'admitted', v_admitted, 'looked',
    CASE WHEN jsonb_array_length(coalesce(p->'looks', '[]')) > 0 THEN switchyard.look_all(p->'looks') END);
END $$;
