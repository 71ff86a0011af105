-- What waits at one moment at one replica goes in one call and one commit: settles first, then admissions, then looks, each in the
-- order in which it came. So an account is told of what was spent before it is asked for more. Locks are taken before anything is
-- decided, in one order for everybody: holds by id, breakers by name, accounts by key; slots and probes are never waited for, and the
-- event counter comes last. src/core says the same in TypeScript, and test/contract holds both to the same answers. The
-- parts are here; `exchange`, which puts them together, stands in 0006 with what is paid from slices.

DROP FUNCTION switchyard.admit(jsonb);
--> statement-breakpoint
DROP FUNCTION switchyard.settle(jsonb);
--> statement-breakpoint
DROP FUNCTION switchyard.look(text);
--> statement-breakpoint
-- A claim reads the slots in this order, and no more of them than it takes.
DROP INDEX switchyard.rate_slot_free;
--> statement-breakpoint
CREATE INDEX rate_slot_free ON switchyard.rate_slot (provider, free_at, slot);
--> statement-breakpoint
-- A slot that is taken now counts until then: a little longer than the window, so that no 60 s hold more than the limit.
CREATE FUNCTION switchyard.slot_taken_until(p_now timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
  SELECT p_now + interval '60.25 seconds'
$$;
--> statement-breakpoint
-- Makes and locks accounts, by key, and begins a new period where one is due.
CREATE FUNCTION switchyard.lock_accounts(p_keys text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz;
  v_due text[];
BEGIN
  INSERT INTO switchyard.account (key, period_started_at)
    SELECT DISTINCT wanted COLLATE "C", switchyard.clock() FROM unnest(p_keys) wanted
    WHERE NOT EXISTS (SELECT 1 FROM switchyard.account WHERE key = wanted)
    ORDER BY 1 ON CONFLICT DO NOTHING;
  PERFORM 1 FROM switchyard.account WHERE key = ANY(p_keys) ORDER BY key COLLATE "C" FOR UPDATE;
  -- Only now: the wait for a lock may have outlasted the period.
  v_now := switchyard.clock();
  SELECT array_agg(key) INTO v_due FROM switchyard.account WHERE key = ANY(p_keys) AND resets_at <= v_now;
  PERFORM switchyard.lock_account(key, v_now) FROM unnest(v_due) key;
END $$;
--> statement-breakpoint
-- The holds of settles, locked by id, in the order of the settles; null where there is none.
CREATE FUNCTION switchyard.lock_holds(p_settles jsonb) RETURNS switchyard.hold[] LANGUAGE plpgsql AS $$
DECLARE
  v_ids uuid[] := ARRAY(SELECT (said->>'holdId')::uuid
    FROM jsonb_array_elements(p_settles) WITH ORDINALITY s(said, place) ORDER BY place);
  v_locked switchyard.hold[];
BEGIN
  SELECT array_agg(h ORDER BY h.id) INTO v_locked
    FROM (SELECT * FROM switchyard.hold WHERE id = ANY(v_ids) ORDER BY id FOR UPDATE) h;
  RETURN ARRAY(SELECT CASE WHEN l.id IS NOT NULL THEN l END
    FROM unnest(v_ids) WITH ORDINALITY wanted(id, place) LEFT JOIN unnest(v_locked) l ON l.id = wanted.id ORDER BY place);
END $$;
--> statement-breakpoint
-- Settles as they count. Of a hold that has ended already only the money is still put right: what its provider did is news no more.
-- A breaker may have been closed by hand since, and a wait that was asked for then is over.
CREATE FUNCTION switchyard.settles_in_time(p_settles jsonb, p_holds switchyard.hold[]) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM unnest(p_holds) WHERE state <> 'held') THEN RETURN p_settles; END IF;
  RETURN (SELECT jsonb_agg(CASE WHEN h.state <> 'held'
      THEN said || '{"verdict": {"kind": "neutral"}, "throttledForMs": null, "setAside": null}' ELSE said END ORDER BY ordinality)
    FROM jsonb_array_elements(p_settles) WITH ORDINALITY settle(said, ordinality) JOIN unnest(p_holds) WITH ORDINALITY h USING (ordinality));
END $$;
--> statement-breakpoint
-- The providers of settles. The rows of those whose breaker may change by them, or that are told to wait, are locked, by name;
-- what the others say changes nothing, and is judged by what stands now: closed and healthy costs no lock.
CREATE FUNCTION switchyard.lock_breakers(p_settles jsonb, p_holds switchyard.hold[], OUT states switchyard.provider_state[], OUT locked text[])
LANGUAGE plpgsql AS $$
DECLARE
  v_names text[] := ARRAY(SELECT DISTINCT provider FROM unnest(p_holds) WHERE id IS NOT NULL);
BEGIN
  SELECT array_agg(DISTINCT s.provider) INTO locked
    FROM jsonb_array_elements(p_settles) WITH ORDINALITY settle(said, ordinality)
    JOIN unnest(p_holds) WITH ORDINALITY h USING (ordinality)
    JOIN switchyard.provider_state s ON s.provider = h.provider
    WHERE said->>'throttledForMs' IS NOT NULL OR said->>'setAside' IS NOT NULL
      OR NOT switchyard.is_no_news(s, said->'verdict');
  IF locked IS NOT NULL THEN
    PERFORM 1 FROM switchyard.provider_state WHERE provider = ANY(locked) ORDER BY provider COLLATE "C" FOR UPDATE;
  END IF;
  SELECT array_agg(s) INTO states
    FROM switchyard.provider_state s WHERE s.provider = ANY(v_names);
END $$;
--> statement-breakpoint
-- What the end of a hold adds to what is posted. One that has expired was posted in full: then this is a correction. It takes nothing
-- out of a period that began later, since it was not posted there; and never more than is there, as everywhere.
CREATE FUNCTION switchyard.posted_by_end(h switchyard.hold, p_spent bigint, p_posted bigint, p_period_started_at timestamptz) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN h.state = 'held' THEN p_spent
    WHEN h.ended_at < p_period_started_at THEN greatest(p_spent - h.amount, 0)
    ELSE greatest(p_spent - h.amount, -p_posted) END
$$;
--> statement-breakpoint
-- Ends permits: money, breaker and throttle. Holds, breakers and accounts are locked.
CREATE FUNCTION switchyard.settle_all(
  p_settles jsonb, p_holds switchyard.hold[], p_states switchyard.provider_state[], p_locked text[], p_replica text, p_now timestamptz
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
  s integer;
  a integer;
  n integer := 0;
  o_id uuid[] := '{}'; o_state text[] := '{}'; o_account text[] := '{}'; o_moved bigint[] := '{}'; o_kind text[] := '{}';
  o_evidence text[] := '{}'; o_overrun bigint[] := '{}';
BEGIN
  SELECT array_agg(x.key), array_agg(x.posted), array_agg(0), array_agg(x.period_started_at)
    INTO v_keys, v_posted, v_held, v_period_started_at FROM switchyard.account x
    WHERE x.key IN (SELECT account FROM unnest(p_holds));
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
-- Takes breaker, slot and money for the first candidate that has all three, for each admission or not at all. Accounts are locked.
CREATE FUNCTION switchyard.admit_all(p jsonb, p_now timestamptz) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_states switchyard.provider_state[];
  v_is_plain boolean[];
  v_accounts switchyard.account[];
  v_keys text[];
  v_held bigint[];
  v_wanted integer[];
  v_slots integer[] := '{}';
  v_next integer[];
  v_last integer[];
  v_full_until bigint[];
  v_claim integer[];
  v_mark timestamptz;
  v_claimed_at timestamptz[];
  v_claimed_slot integer[];
  v_claimed_count integer[];
  v_free_at timestamptz;
  v_answers jsonb[] := '{}';
  v_refusals jsonb;
  v_why jsonb;
  v_state switchyard.provider_state;
  v_is_probe boolean;
  v_available bigint;
  v_input bigint;
  v_each bigint;
  v_least bigint;
  v_most bigint;
  v_limit bigint;
  v_ceiling bigint;
  v_amount bigint;
  v_tokens bigint;
  admission jsonb;
  c jsonb;
  k integer;
  s integer;
  a integer;
  n integer := 0;
  o_id uuid[] := '{}'; o_request uuid[] := '{}'; o_attempt integer[] := '{}'; o_account text[] := '{}'; o_provider text[] := '{}';
  o_model text[] := '{}'; o_amount bigint[] := '{}'; o_epoch integer[] := '{}'; o_probe boolean[] := '{}'; o_lease float8[] := '{}';
  o_slot integer[] := '{}';
BEGIN
  SELECT array_agg(x ORDER BY place), array_agg(coalesce(x.state = 'closed' AND switchyard.provider_refusal(x, p_now) IS NULL, false) ORDER BY place),
      array_agg(coalesce(w.count, 0) ORDER BY place), array_agg(1), array_agg(0), array_agg(NULL::bigint),
      array_agg(timestamptz '-infinity'), array_agg(0), array_agg(0)
    INTO v_states, v_is_plain, v_wanted, v_next, v_last, v_full_until, v_claimed_at, v_claimed_slot, v_claimed_count
    FROM jsonb_array_elements_text(p->'providers') WITH ORDINALITY p(name, place)
    LEFT JOIN switchyard.provider_state x ON x.provider = name
    LEFT JOIN (SELECT (value->'candidates'->0->>0)::integer + 1 AS place, count(*)::integer AS count
      FROM jsonb_array_elements(p->'admissions') GROUP BY 1) w USING (place);
  SELECT array_agg(x ORDER BY place), array_agg(x.key ORDER BY place), array_agg(x.held ORDER BY place) INTO v_accounts, v_keys, v_held
    FROM jsonb_array_elements_text(p->'accounts') WITH ORDINALITY k(key, place) JOIN switchyard.account x ON x.key = k.key;
  FOR admission IN SELECT value FROM jsonb_array_elements(p->'admissions') LOOP
    a := (admission->>'account')::integer + 1;
    v_ceiling := admission->>'ceiling';
    v_refusals := '[]';
    v_amount := NULL;
    k := 0;
    LOOP
      c := admission->'candidates'->k;
      EXIT WHEN c IS NULL;
      s := (c->>0)::integer + 1;
      v_why := NULL;
      v_is_probe := false;
      IF NOT v_is_plain[s] THEN
        v_state := v_states[s];
        IF v_state.provider IS NULL THEN RAISE EXCEPTION 'the store knows no provider %', p->'providers'->>(s - 1); END IF;
        v_why := switchyard.provider_refusal(v_state, p_now);
        IF v_why IS NULL THEN
          -- Nobody queues behind a probe: whoever holds the row is claiming it, or changing the breaker right now.
          SELECT * INTO v_state FROM switchyard.provider_state WHERE provider = v_state.provider FOR UPDATE SKIP LOCKED;
          IF FOUND THEN
            v_why := switchyard.provider_refusal(v_state, p_now);
            v_is_probe := v_why IS NULL AND v_state.state <> 'closed';
            v_states[s] := v_state;
          ELSE
            v_why := jsonb_build_object('kind', 'breakerProbing', 'untilMs', switchyard.ms(p_now) + 1000);
          END IF;
        END IF;
      END IF;
      IF v_why IS NULL AND v_next[s] > v_last[s] AND v_full_until[s] IS NULL THEN
        -- As many as want this provider first, then one by one. Own locks are not skipped, so each claim begins behind the last.
        SELECT array_agg(slot ORDER BY free_at, slot), max(free_at) INTO v_claim, v_mark FROM (
          SELECT slot, free_at FROM switchyard.rate_slot WHERE provider = (v_states[s]).provider AND free_at <= p_now
            AND (free_at, slot) > (v_claimed_at[s], v_claimed_slot[s])
          ORDER BY free_at, slot LIMIT greatest(v_wanted[s], 1) FOR UPDATE SKIP LOCKED) free;
        v_claimed_at[s] := v_mark;
        v_claimed_slot[s] := v_claim[cardinality(v_claim)];
        v_claimed_count[s] := v_claimed_count[s] + coalesce(cardinality(v_claim), 0);
        v_next[s] := cardinality(v_slots) + 1;
        v_slots := v_slots || v_claim;
        v_last[s] := cardinality(v_slots);
        v_wanted[s] := 1;
        IF v_next[s] > v_last[s] THEN
          v_free_at := (SELECT min(free_at) FROM switchyard.rate_slot WHERE provider = (v_states[s]).provider AND free_at > p_now);
          -- Others are claiming free slots right now, and may not need them all: to look again in a moment is better than to wait a minute.
          v_full_until[s] := switchyard.ms(CASE WHEN v_claimed_count[s] < (SELECT count(*) FROM switchyard.rate_slot
              WHERE provider = (v_states[s]).provider AND free_at <= p_now)
            THEN least(v_free_at, p_now + interval '1 second') ELSE coalesce(v_free_at, switchyard.slot_taken_until(p_now)) END);
        END IF;
      END IF;
      IF v_why IS NULL AND v_next[s] > v_last[s] THEN
        v_why := jsonb_build_object('kind', 'rateLimited', 'untilMs', v_full_until[s]);
      END IF;
      IF v_why IS NULL THEN
        v_input := c->>2;
        v_each := c->>3;
        v_most := v_input + v_each * (c->>4)::bigint;
        v_least := v_input + v_each * (c->>5)::bigint;
        v_available := coalesce((v_accounts[a]).cap, (admission->>'defaultCap')::bigint) - (v_accounts[a]).posted - v_held[a];
        v_limit := least(v_available, v_ceiling, v_most);
        IF v_least <= v_limit THEN
          v_tokens := CASE WHEN v_most <= v_limit THEN (c->>4)::bigint ELSE (v_limit - v_input) / v_each END;
          v_amount := v_input + v_each * v_tokens;
          EXIT;
        END IF;
        v_why := CASE WHEN v_least > v_ceiling THEN jsonb_build_object('kind', 'overCostLimit', 'required', v_least::text)
          ELSE jsonb_build_object('kind', 'overBudget', 'required', v_least::text,
            'available', coalesce(v_available, 0)::text, 'held', v_held[a]::text) END;
      END IF;
      v_refusals := v_refusals || v_why;
      k := k + 1;
    END LOOP;
    IF v_amount IS NULL THEN
      v_answers := v_answers || jsonb_build_object('refusals', v_refusals, 'held', v_held[a]::text);
      CONTINUE;
    END IF;
    n := n + 1;
    o_slot[n] := v_slots[v_next[s]];
    v_next[s] := v_next[s] + 1;
    v_held[a] := v_held[a] + v_amount;
    v_state := v_states[s];
    o_id[n] := admission->>'holdId';
    IF v_is_probe THEN
      PERFORM switchyard.claim_probe(v_state, o_id[n],
        p_now + switchyard.span((admission->>'probeLeaseMs')::double precision), p->>'replica', p_now);
      SELECT * INTO v_state FROM switchyard.provider_state WHERE provider = v_state.provider;
      v_states[s] := v_state;
    END IF;
    o_request[n] := admission->>'requestId';
    o_attempt[n] := admission->>'attempt';
    o_account[n] := v_keys[a];
    o_provider[n] := v_state.provider;
    o_model[n] := c->>1;
    o_amount[n] := v_amount;
    o_epoch[n] := v_state.epoch;
    o_probe[n] := v_is_probe;
    o_lease[n] := admission->>'holdLeaseMs';
    v_answers := v_answers || jsonb_build_object('refusals', v_refusals, 'held', v_held[a]::text, 'candidate', k,
      'amount', v_amount::text, 'outputTokens', v_tokens, 'isProbe', v_is_probe, 'simulation', CASE WHEN v_state.simulation_mode IS NOT NULL
        THEN switchyard.simulation_json(v_state, p_now) END);
  END LOOP;
  UPDATE switchyard.rate_slot SET free_at = switchyard.slot_taken_until(p_now)
    FROM unnest(o_provider, o_slot) taken(provider, slot) WHERE rate_slot.provider = taken.provider AND rate_slot.slot = taken.slot;
  INSERT INTO switchyard.hold (id, request_id, attempt, account, provider, model, amount, epoch, is_probe, started_at, expires_at, replica)
    SELECT h.id, h.request, h.attempt, h.account, h.provider, h.model, h.amount, h.epoch, h.probe, p_now,
      p_now + switchyard.span(h.lease), p->>'replica'
    FROM unnest(o_id, o_request, o_attempt, o_account, o_provider, o_model, o_amount, o_epoch, o_probe, o_lease)
      h(id, request, attempt, account, provider, model, amount, epoch, probe, lease);
  UPDATE switchyard.account SET held = now.held FROM unnest(v_keys, v_held) now(key, held)
    WHERE account.key = now.key AND account.held <> now.held;
  RETURN jsonb_build_object('nowMs', switchyard.ms(p_now), 'answers', to_jsonb(v_answers), 'accounts', to_jsonb(ARRAY(
    SELECT switchyard.account_json(v_accounts[place]) FROM generate_subscripts(v_accounts, 1) place ORDER BY place)));
END $$;
--> statement-breakpoint
-- What planning needs, at one instant, for several accounts. Changes nothing. Of every provider that any registry ever named: each
-- replica picks those of its own, and could not plan without one that is not in the registry of whoever started last.
CREATE FUNCTION switchyard.look_all(p_accounts jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_now timestamptz := switchyard.clock();
BEGIN
  RETURN jsonb_build_object('nowMs', switchyard.ms(v_now),
    'accounts', (SELECT jsonb_agg(CASE WHEN a.key IS NULL
        THEN switchyard.account_json(switchyard.fresh_account(wanted.key, v_now))
        ELSE jsonb_build_object('key', a.key, 'cap', a.cap::text, 'posted', a.posted::text, 'held', a.held::text,
          'period', a.period, 'periodStartedAtMs', switchyard.ms(a.period_started_at)) END ORDER BY place)
      FROM jsonb_array_elements_text(p_accounts) WITH ORDINALITY wanted(key, place)
      LEFT JOIN switchyard.account_now a ON a.key = wanted.key),
    'providers', (SELECT jsonb_agg(switchyard.provider_json(s, v_now) ORDER BY s.position)
      FROM switchyard.provider_state s));
END $$;
--> statement-breakpoint
-- Ends holds that are due: posted in full, never given back. One replica at a time; a hold that is being settled is left alone.
CREATE OR REPLACE FUNCTION switchyard.reap(p_count integer) RETURNS jsonb LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  v_now timestamptz := switchyard.clock();
  v_due switchyard.hold[];
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtext('switchyard.reap')) THEN RETURN '[]'; END IF;
  v_due := ARRAY(SELECT h FROM switchyard.hold h WHERE state = 'held' AND expires_at <= v_now
    ORDER BY expires_at LIMIT p_count FOR UPDATE SKIP LOCKED);
  IF cardinality(v_due) = 0 THEN RETURN '[]'; END IF;
  PERFORM switchyard.lock_accounts(ARRAY(SELECT DISTINCT account FROM unnest(v_due)));
  -- Only now: what is posted to a period that began during the wait must not look older than it.
  v_now := switchyard.clock();
  UPDATE switchyard.hold SET state = 'expired', ended_at = v_now WHERE id IN (SELECT id FROM unnest(v_due));
  UPDATE switchyard.account SET posted = posted + due.amount, held = held - due.amount
    FROM (SELECT account, sum(amount)::bigint AS amount FROM unnest(v_due) GROUP BY account) due WHERE key = due.account;
  INSERT INTO switchyard.ledger_entry (account, hold_id, amount, kind, evidence, at)
    SELECT account, id, amount, 'unconfirmed', 'nobody settled it in time', v_now FROM unnest(v_due);
  RETURN (SELECT jsonb_agg(jsonb_build_object('holdId', id, 'requestId', request_id, 'account', account, 'amount', amount::text))
    FROM unnest(v_due));
END $$;
--> statement-breakpoint
-- Lets attempts that are still under way keep their holds. A hold that has ended stays ended.
CREATE FUNCTION switchyard.renew(p_holds uuid[], p_lease_ms double precision) RETURNS void LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
  PERFORM 1 FROM switchyard.hold WHERE state = 'held' AND id = ANY(p_holds) ORDER BY id FOR UPDATE;
  UPDATE switchyard.hold SET expires_at = greatest(expires_at, switchyard.clock() + switchyard.span(p_lease_ms))
    WHERE state = 'held' AND id = ANY(p_holds);
END $$;
--> statement-breakpoint
-- As in 0001, but the rows are locked by name, as everywhere: two orders would be two ways to wait for each other.
CREATE OR REPLACE FUNCTION switchyard.stop_simulation(p_provider text, p_actor jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz;
  v_healed jsonb;
BEGIN
  PERFORM 1 FROM switchyard.provider_state WHERE provider = coalesce(p_provider, provider) ORDER BY provider COLLATE "C" FOR UPDATE;
  v_now := switchyard.clock();
  SELECT coalesce(jsonb_agg(s.provider ORDER BY s.position), '[]') INTO v_healed FROM switchyard.provider_state s
    WHERE s.provider = coalesce(p_provider, s.provider) AND switchyard.simulation_json(s, v_now) IS NOT NULL;
  UPDATE switchyard.provider_state SET simulation_mode = NULL WHERE provider IN (SELECT jsonb_array_elements_text(v_healed));
  PERFORM switchyard.keep_audit('stopSimulation', coalesce(p_provider, '*'), p_actor, v_healed, v_now);
  RETURN v_healed;
END $$;
--> statement-breakpoint
-- As in 0001, but what is forgotten is forgotten from now on, also in the middle of a period: a late correction of something
-- older must not come off what is spent after it. So `period_started_at` is never earlier than the last time that nothing was posted.
CREATE OR REPLACE FUNCTION switchyard.set_budget(p_wish jsonb, p_actor jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_key text := p_wish->>'account';
  v_period text := p_wish->>'period';
  v_is_reset boolean := (p_wish->>'resetUsage')::boolean;
  v_now timestamptz;
  v_account switchyard.account;
  v_started_at timestamptz;
BEGIN
  PERFORM switchyard.lock_accounts(ARRAY[v_key]);
  v_now := switchyard.clock();
  SELECT * INTO v_account FROM switchyard.account WHERE key = v_key;
  v_started_at := CASE WHEN v_is_reset THEN v_now
    WHEN v_period = 'total' THEN v_account.period_started_at
    ELSE greatest(v_account.period_started_at, switchyard.period_start(v_period, v_now)) END;
  IF v_is_reset AND v_account.posted <> 0 THEN
    INSERT INTO switchyard.ledger_entry (account, amount, kind, evidence, at)
      VALUES (v_key, -v_account.posted, 'reset', 'an operator reset it', v_now);
  END IF;
  UPDATE switchyard.account SET cap = (p_wish->>'cap')::bigint, period = v_period, period_started_at = v_started_at,
    resets_at = switchyard.period_end(v_period, v_started_at), posted = CASE WHEN v_is_reset THEN 0 ELSE posted END
    WHERE key = v_key RETURNING * INTO v_account;
  PERFORM switchyard.keep_audit('setBudget', v_key, p_actor, p_wish, v_now);
  RETURN switchyard.account_json(v_account);
END $$;
