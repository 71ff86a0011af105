-- What a replica reserves to go on while this database is away: slices of money, and slots of the rolling limits. A slice is a
-- hold without a provider. What was spent from it meanwhile comes in as a settle that says from which slice it was paid; its hold
-- is made and ended in the same commit. Locks are taken in the order of 0002: slices, holds, breakers, accounts; slots are never waited for.

ALTER TABLE "switchyard"."hold" DROP CONSTRAINT "hold_attempt";
--> statement-breakpoint
ALTER TABLE "switchyard"."hold" ADD COLUMN "slice_id" uuid;
--> statement-breakpoint
CREATE INDEX "hold_of_replica" ON "switchyard"."hold" USING btree ("replica","provider") WHERE state in ('held', 'expired');
--> statement-breakpoint
-- An admission whose answer was lost is made again from a slice: the two are told apart by that, and only one of them was sent.
ALTER TABLE "switchyard"."hold" ADD CONSTRAINT "hold_attempt" UNIQUE NULLS NOT DISTINCT("request_id","attempt","slice_id");
--> statement-breakpoint
-- Ends the slices of a replica, except those to keep: what was not spent from them is free again. One that expired meanwhile was
-- posted in full, and is corrected by what is left of it.
CREATE FUNCTION switchyard.give_back_slices(p_replica text, p_keep uuid[]) RETURNS integer LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  v_slices switchyard.hold[];
  v_slice switchyard.hold;
  v_moved bigint;
  v_now timestamptz;
BEGIN
  v_slices := ARRAY(SELECT h FROM switchyard.hold h WHERE replica = p_replica AND provider = '' AND state IN ('held', 'expired')
    AND id <> ALL(p_keep) ORDER BY id FOR UPDATE);
  IF cardinality(v_slices) = 0 THEN RETURN 0; END IF;
  PERFORM switchyard.lock_accounts(ARRAY(SELECT DISTINCT account FROM unnest(v_slices)));
  v_now := switchyard.clock();
  FOREACH v_slice IN ARRAY v_slices LOOP
    SELECT switchyard.posted_by_end(v_slice, 0, posted, period_started_at) INTO v_moved
      FROM switchyard.account WHERE key = v_slice.account;
    UPDATE switchyard.account SET posted = posted + v_moved,
      held = held - CASE v_slice.state WHEN 'held' THEN v_slice.amount ELSE 0 END WHERE key = v_slice.account;
    INSERT INTO switchyard.ledger_entry (account, hold_id, amount, kind, evidence, at) VALUES (v_slice.account, v_slice.id, v_moved,
      CASE v_slice.state WHEN 'held' THEN 'settled' ELSE 'correction' END, 'nothing', v_now);
  END LOOP;
  UPDATE switchyard.hold SET state = 'voided', ended_at = v_now WHERE id IN (SELECT id FROM unnest(v_slices));
  RETURN cardinality(v_slices);
END $$;
--> statement-breakpoint
-- Locks reserved slots, as a list of [provider, slot, instant in ms], and answers where they are. One that has another instant by
-- now is somebody else's; nobody waits for one that is locked. The instant is compared in a way that no index is used for: many slots
-- share one. And rows are answered by their place, so that the change of a long list is no join.
CREATE FUNCTION switchyard.lock_own_slots(p_slots jsonb) RETURNS tid[] LANGUAGE sql AS $$
  SELECT ARRAY(SELECT r.ctid FROM jsonb_array_elements(p_slots) s JOIN switchyard.rate_slot r ON r.provider = s->>0
    AND r.slot = (s->>1)::integer AND r.free_at IS NOT DISTINCT FROM timestamptz 'epoch' + switchyard.span((s->>2)::double precision)
    FOR UPDATE OF r SKIP LOCKED)
$$;
--> statement-breakpoint
-- Reserves slots of rolling limits until the end of a lease and of a window after it: whenever within the lease one is used, no
-- window holds more than the limit. A slot is ours as long as nobody has changed the instant at which it is free.
CREATE FUNCTION switchyard.reserve_slots(p jsonb, p_now timestamptz, p_lease interval) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_until timestamptz := switchyard.slot_taken_until(p_now + p_lease);
  v_rows tid[];
  v_mine jsonb;
  v_some jsonb;
  v_count bigint;
  c jsonb;
BEGIN
  v_rows := switchyard.lock_own_slots(p->'giveBack');
  UPDATE switchyard.rate_slot SET free_at = p_now WHERE ctid = ANY(v_rows);
  v_rows := switchyard.lock_own_slots(p->'renew');
  WITH renewed AS (
    UPDATE switchyard.rate_slot SET free_at = v_until WHERE ctid = ANY(v_rows) RETURNING provider, slot
  ) SELECT coalesce(jsonb_agg(jsonb_build_array(provider, slot, switchyard.ms(v_until))), '[]') INTO v_mine FROM renewed;
  FOR c IN SELECT value FROM jsonb_array_elements(p->'take') LOOP
    SELECT count(*) - (c->>2)::bigint INTO v_count FROM switchyard.rate_slot WHERE provider = c->>0 AND free_at <= p_now;
    CONTINUE WHEN v_count <= 0;
    v_rows := ARRAY(SELECT ctid FROM switchyard.rate_slot WHERE provider = c->>0 AND free_at <= p_now
      ORDER BY free_at, slot LIMIT least(v_count, (c->>1)::bigint) FOR UPDATE SKIP LOCKED);
    WITH taken AS (
      UPDATE switchyard.rate_slot SET free_at = v_until WHERE ctid = ANY(v_rows) RETURNING provider, slot
    ) SELECT coalesce(jsonb_agg(jsonb_build_array(provider, slot, switchyard.ms(v_until))), '[]') INTO v_some FROM taken;
    v_mine := v_mine || v_some;
  END LOOP;
  RETURN v_mine;
END $$;
--> statement-breakpoint
-- Takes, renews and gives back what a replica reserves. Its slices that are in neither list are given back: it does not know of them.
CREATE FUNCTION switchyard.reserve(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET enable_seqscan = off AS $$
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
    SELECT account FROM switchyard.hold WHERE replica = v_replica AND provider = '' AND state IN ('held', 'expired') AND id <> ALL(v_keep)
    UNION SELECT value->>'account' FROM jsonb_array_elements(p->'take')));
  PERFORM switchyard.give_back_slices(v_replica, v_keep);
  v_now := switchyard.clock();
  WITH wish AS (
    SELECT (value->>'id')::uuid AS id, a.key, least((p->>'amountMax')::bigint,
        (coalesce(a.cap, (value->>'defaultCap')::bigint) - a.posted - a.held) / (p->>'partsOfAvailable')::bigint) AS amount
      FROM jsonb_array_elements(p->'take') JOIN switchyard.account a ON a.key = value->>'account'
  ), made AS (
    INSERT INTO switchyard.hold (id, request_id, attempt, account, provider, model, amount, epoch, is_probe, started_at, expires_at, replica)
      SELECT id, id, 0, key, '', 'slice', amount, 0, false, v_now, v_now + v_expires, v_replica
      FROM wish WHERE amount >= (p->>'amountMin')::bigint RETURNING id, account, amount
  ), held AS (
    UPDATE switchyard.account SET held = held + made.amount FROM made WHERE key = made.account
  ), renewed AS (
    UPDATE switchyard.hold SET expires_at = v_now + v_expires
      WHERE state = 'held' AND replica = v_replica AND id IN (SELECT value::uuid FROM jsonb_array_elements_text(p->'renew')) RETURNING id
  ) SELECT array_agg(id) INTO v_ours FROM (SELECT id FROM made UNION ALL SELECT id FROM renewed) ours;
  RETURN jsonb_build_object('nowMs', switchyard.ms(v_now), 'slots', v_slots,
    'slices', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', h.id, 'amount', h.amount::text, 'account', jsonb_build_object(
        'key', a.key, 'cap', a.cap::text, 'posted', a.posted::text, 'held', a.held::text, 'period', a.period,
        'periodStartedAtMs', switchyard.ms(a.period_started_at)))), '[]')
      FROM switchyard.hold h JOIN switchyard.account_now a ON a.key = h.account WHERE h.id = ANY(v_ours)),
    'providers', (SELECT coalesce(jsonb_agg(switchyard.provider_json(s, v_now) || jsonb_build_object('free', (SELECT count(*)
        FROM switchyard.rate_slot r WHERE r.provider = s.provider AND r.free_at <= v_now)) ORDER BY s.position), '[]')
      FROM switchyard.provider_state s WHERE s.position IS NOT NULL));
END $$;
--> statement-breakpoint
-- Makes the holds of attempts that were paid from slices, each with what it spent taken out of its slice. What is then held by an
-- account in all is answered as a change; the account is locked later. A slice that has expired was posted in full: its share is
-- posted already, and the hold is one that expired with it. Of a slice that has ended nothing is left to pay with.
CREATE FUNCTION switchyard.draw_all(p_settles jsonb, p_replica text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz := switchyard.clock();
  v_held jsonb := '[]';
  v_slice switchyard.hold;
  v_charge jsonb;
  v_amount bigint;
  v_paid bigint;
  v_is_expired boolean;
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
    INSERT INTO switchyard.hold (id, slice_id, request_id, attempt, account, provider, model, amount, state, epoch, is_probe,
        started_at, expires_at, ended_at, replica)
      VALUES ((said->>'holdId')::uuid, (d->>'slice')::uuid, (d->>'requestId')::uuid, (d->>'attempt')::integer, d->>'account',
        d->>'provider', d->>'model', CASE WHEN v_is_expired THEN v_paid ELSE v_amount END,
        CASE WHEN v_is_expired THEN 'expired' ELSE 'held' END, (d->>'epoch')::integer, false,
        timestamptz 'epoch' + switchyard.span((d->>'startedAtMs')::double precision), v_now,
        CASE WHEN v_is_expired THEN v_slice.ended_at END, p_replica);
    IF NOT v_is_expired THEN
      v_held := v_held || jsonb_build_object('account', d->>'account', 'held', (v_amount - v_paid)::text);
    END IF;
  END LOOP;
  RETURN v_held;
END $$;
--> statement-breakpoint
-- What waits on a replica at one moment, in the one order of locks. Rows are found by their index, always: a plan that was made
-- while a table was small outlives that, and would read the whole of it at every call until the statistics are renewed.
CREATE FUNCTION switchyard.exchange(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  v_settles jsonb := coalesce(p->'settles', '[]');
  v_is_settling boolean := jsonb_array_length(v_settles) > 0;
  v_is_admitting boolean := jsonb_array_length(coalesce(p->'admissions', '[]')) > 0;
  v_holds switchyard.hold[] := '{}';
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
  END IF;
  IF v_is_settling OR v_is_admitting THEN
    PERFORM switchyard.lock_accounts(ARRAY(SELECT account FROM unnest(v_holds) WHERE id IS NOT NULL
      UNION SELECT value FROM jsonb_array_elements_text(p->'accounts')));
  END IF;
  IF jsonb_array_length(v_drawn) > 0 THEN
    UPDATE switchyard.account SET held = account.held + drawn.held
      FROM (SELECT value->>'account' AS key, sum((value->>'held')::bigint)::bigint AS held FROM jsonb_array_elements(v_drawn) GROUP BY 1) drawn
      WHERE account.key = drawn.key;
  END IF;
  -- Only now: who waited for a lock must not take a slot of an instant that has passed.
  v_now := switchyard.clock();
  IF v_is_settling THEN
    v_settled := switchyard.settle_all(v_settles, v_holds, v_breakers.states, v_breakers.locked, p->>'replica', v_now);
  END IF;
  IF v_is_admitting THEN v_admitted := switchyard.admit_all(p, v_now); END IF;
  RETURN jsonb_build_object('settled', v_settled, 'admitted', v_admitted, 'looked',
    CASE WHEN jsonb_array_length(coalesce(p->'looks', '[]')) > 0 THEN switchyard.look_all(p->'looks') END);
END $$;
