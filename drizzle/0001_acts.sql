-- The business acts. Each is one function, called once, in one commit; src/core says the same in TypeScript, and
-- test/contract holds both to the same answers. Locks are taken in one order: hold, breaker, slot, account, event counter.
-- Instants go in and out as whole milliseconds, money as text, so that no JSON number is ever rounded.

-- The one clock of all replicas, to the millisecond. Tests replace it to move time.
CREATE FUNCTION switchyard.clock() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
  SELECT date_trunc('milliseconds', clock_timestamp())
$$;
--> statement-breakpoint
CREATE FUNCTION switchyard.ms(at timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT round(extract(epoch FROM at) * 1000)::bigint
$$;
--> statement-breakpoint
CREATE FUNCTION switchyard.span(ms double precision) RETURNS interval LANGUAGE sql IMMUTABLE AS $$
  SELECT ms * interval '1 millisecond'
$$;
--> statement-breakpoint
CREATE FUNCTION switchyard.period_start(period text, at timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE period
    WHEN 'daily' THEN date_trunc('day', at, 'UTC')
    WHEN 'weekly' THEN date_trunc('week', at, 'UTC')
    WHEN 'monthly' THEN date_trunc('month', at, 'UTC')
    ELSE at END
$$;
--> statement-breakpoint
-- Null: the period never ends.
CREATE FUNCTION switchyard.period_end(period text, started_at timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE period
    WHEN 'daily' THEN (date_trunc('day', started_at AT TIME ZONE 'UTC') + interval '1 day') AT TIME ZONE 'UTC'
    WHEN 'weekly' THEN (date_trunc('week', started_at AT TIME ZONE 'UTC') + interval '7 days') AT TIME ZONE 'UTC'
    WHEN 'monthly' THEN (date_trunc('month', started_at AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC' END
$$;
--> statement-breakpoint
INSERT INTO switchyard.breaker_event_counter (id, last) VALUES (1, 0);
--> statement-breakpoint
-- Hot rows are updated in place: leave room on their pages.
ALTER TABLE switchyard.account SET (fillfactor = 50);
--> statement-breakpoint
ALTER TABLE switchyard.rate_slot SET (fillfactor = 50);
--> statement-breakpoint
ALTER TABLE switchyard.provider_state SET (fillfactor = 50);
--> statement-breakpoint

-- The account as it stands now: spending of a period that has ended is forgotten, money that is held stays held.
CREATE VIEW switchyard.account_now AS
  SELECT a.key, a.cap, a.held, a.period,
    CASE WHEN due THEN 0 ELSE a.posted END AS posted,
    CASE WHEN due THEN switchyard.period_start(a.period, now) ELSE a.period_started_at END AS period_started_at
  FROM (SELECT switchyard.clock() AS now) clock,
    LATERAL (SELECT *, resets_at IS NOT NULL AND resets_at <= now AS due FROM switchyard.account) a;
--> statement-breakpoint
CREATE FUNCTION switchyard.account_json(a switchyard.account) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT jsonb_build_object('key', a.key, 'cap', a.cap::text, 'posted', a.posted::text, 'held', a.held::text,
    'period', a.period, 'periodStartedAtMs', switchyard.ms(a.period_started_at))
$$;
--> statement-breakpoint
-- An account that was never used.
CREATE FUNCTION switchyard.fresh_account(p_key text, p_now timestamptz) RETURNS switchyard.account LANGUAGE plpgsql STABLE AS $$
DECLARE
  fresh switchyard.account;
BEGIN
  fresh.key := p_key; fresh.posted := 0; fresh.held := 0; fresh.period := 'total'; fresh.period_started_at := p_now;
  RETURN fresh;
END $$;
--> statement-breakpoint
-- Locks an account and begins its new period when one is due. Null when it does not exist.
CREATE FUNCTION switchyard.lock_account(p_key text, p_now timestamptz) RETURNS switchyard.account LANGUAGE plpgsql AS $$
DECLARE
  a switchyard.account;
BEGIN
  SELECT * INTO a FROM switchyard.account WHERE key = p_key FOR UPDATE;
  IF NOT FOUND THEN RETURN NULL; END IF;
  IF a.resets_at <= p_now THEN
    INSERT INTO switchyard.ledger_entry (account, amount, kind, evidence, at)
      VALUES (p_key, -a.posted, 'reset', 'a new period began', p_now);
    a.period_started_at := switchyard.period_start(a.period, p_now);
    a.resets_at := switchyard.period_end(a.period, a.period_started_at);
    a.posted := 0;
    UPDATE switchyard.account SET posted = 0, period_started_at = a.period_started_at, resets_at = a.resets_at
      WHERE key = p_key;
  END IF;
  RETURN a;
END $$;
--> statement-breakpoint
-- Keeps a change of a breaker. The counter's row stays locked until the commit: sequences have no gap and no late comer.
CREATE FUNCTION switchyard.append_event(
  p_before switchyard.provider_state, p_after switchyard.provider_state,
  p_cause text, p_detail text, p_replica text, p_now timestamptz
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_sequence bigint;
BEGIN
  UPDATE switchyard.breaker_event_counter SET last = last + 1 RETURNING last INTO v_sequence;
  INSERT INTO switchyard.breaker_event
    (sequence, provider, epoch, from_state, to_state, cause, fails, reopens_at, detail, occurred_at, replica)
  VALUES (v_sequence, p_after.provider, p_after.epoch, p_before.state, p_after.state, p_cause, p_after.fails,
    CASE WHEN p_after.state = 'open' THEN p_after.opened_until END, p_detail, p_now, p_replica);
  -- Rare, so harmless: only a hint to look sooner than the next poll.
  PERFORM pg_notify('switchyard_breaker', '');
  RETURN v_sequence;
END $$;
--> statement-breakpoint
CREATE FUNCTION switchyard.event_json(e switchyard.breaker_event) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT jsonb_build_object('sequence', e.sequence, 'provider', e.provider, 'epoch', e.epoch, 'from', e.from_state,
    'to', e.to_state, 'cause', e.cause, 'fails', e.fails, 'reopensAtMs', switchyard.ms(e.reopens_at),
    'detail', e.detail, 'occurredAtMs', switchyard.ms(e.occurred_at), 'replica', e.replica)
$$;
--> statement-breakpoint
-- Writes a breaker's columns, and its event when the epoch grew. Answers the event, or null.
CREATE FUNCTION switchyard.keep_breaker(
  p_before switchyard.provider_state, p_after switchyard.provider_state,
  p_cause text, p_detail text, p_replica text, p_now timestamptz
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_event switchyard.breaker_event;
  v_sequence bigint;
BEGIN
  UPDATE switchyard.provider_state SET state = p_after.state, epoch = p_after.epoch, fails = p_after.fails,
    streak_started_at = p_after.streak_started_at, opened_until = p_after.opened_until, opened_at = p_after.opened_at,
    changed_at = p_after.changed_at, reopen_count = p_after.reopen_count, probe_id = p_after.probe_id,
    probe_until = p_after.probe_until
  WHERE provider = p_after.provider;
  IF p_after.epoch = p_before.epoch THEN RETURN NULL; END IF;
  v_sequence := switchyard.append_event(p_before, p_after, p_cause, p_detail, p_replica, p_now);
  SELECT * INTO v_event FROM switchyard.breaker_event WHERE sequence = v_sequence;
  RETURN switchyard.event_json(v_event);
END $$;
--> statement-breakpoint
CREATE FUNCTION switchyard.simulation_json(s switchyard.provider_state, p_now timestamptz) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN s.simulation_mode IS NOT NULL AND p_now < s.simulation_ends_at
      AND (s.simulation_failures_max IS NULL OR s.simulation_injected < s.simulation_failures_max)
    THEN jsonb_build_object('mode', s.simulation_mode, 'rate', s.simulation_rate,
      'endsAtMs', switchyard.ms(s.simulation_ends_at), 'failuresMax', s.simulation_failures_max,
      'latencyMs', s.simulation_latency_ms, 'failuresInjected', s.simulation_injected) END
$$;
--> statement-breakpoint
-- When the rolling limit has a free slot. Null: now.
CREATE FUNCTION switchyard.slot_free_at(p_provider text, p_now timestamptz) RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN min(free_at) > p_now THEN min(free_at) END FROM switchyard.rate_slot WHERE provider = p_provider
$$;
--> statement-breakpoint
-- What everybody may know of one provider now: what has passed is left out.
CREATE FUNCTION switchyard.provider_json(s switchyard.provider_state, p_now timestamptz) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_object('provider', s.provider, 'state', s.state, 'epoch', s.epoch, 'fails', s.fails,
    'streakStartedAtMs', switchyard.ms(s.streak_started_at), 'openedUntilMs', switchyard.ms(s.opened_until),
    'openedAtMs', switchyard.ms(s.opened_at), 'changedAtMs', switchyard.ms(s.changed_at),
    'reopenCount', s.reopen_count, 'probeId', s.probe_id, 'probeUntilMs', switchyard.ms(s.probe_until),
    'isEnabled', s.is_enabled,
    'throttledUntilMs', CASE WHEN s.throttled_until > p_now THEN switchyard.ms(s.throttled_until) END,
    'setAsideUntilMs', CASE WHEN s.set_aside_until > p_now THEN switchyard.ms(s.set_aside_until) END,
    'setAsideDetail', s.set_aside_detail,
    'simulation', switchyard.simulation_json(s, p_now),
    'slotFreeAtMs', switchyard.ms(switchyard.slot_free_at(s.provider, p_now)))
$$;
--> statement-breakpoint
-- Why a provider cannot take an attempt now, its rolling limit and money apart. Null when it can.
CREATE FUNCTION switchyard.provider_refusal(s switchyard.provider_state, p_now timestamptz) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN NOT s.is_enabled THEN jsonb_build_object('kind', 'disabled')
    WHEN s.set_aside_until > p_now THEN jsonb_build_object('kind', 'setAside',
      'untilMs', switchyard.ms(s.set_aside_until), 'detail', s.set_aside_detail)
    WHEN s.state = 'open' AND s.opened_until > p_now THEN jsonb_build_object('kind', 'breakerOpen',
      'untilMs', switchyard.ms(s.opened_until))
    WHEN s.state = 'halfOpen' AND s.probe_until > p_now THEN jsonb_build_object('kind', 'breakerProbing',
      'untilMs', switchyard.ms(s.probe_until))
    WHEN s.throttled_until > p_now THEN jsonb_build_object('kind', 'throttled',
      'untilMs', switchyard.ms(s.throttled_until)) END
$$;
--> statement-breakpoint
-- What planning needs, at one instant. Changes nothing.
CREATE FUNCTION switchyard.look(p_account text) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
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
      FROM switchyard.provider_state s WHERE s.position IS NOT NULL));
END $$;
--> statement-breakpoint
-- Takes the probe of a breaker whose row is locked. A lapsed lease gets a new epoch, so that the lost prober is stale.
CREATE FUNCTION switchyard.claim_probe(
  p_state switchyard.provider_state, p_hold uuid, p_until timestamptz, p_replica text, p_now timestamptz
) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  v_after switchyard.provider_state := p_state;
BEGIN
  v_after.probe_id := p_hold;
  v_after.probe_until := p_until;
  v_after.state := 'halfOpen';
  v_after.opened_until := NULL;
  IF p_state.state = 'open' OR p_state.probe_id IS NOT NULL THEN
    v_after.epoch := p_state.epoch + 1;
    v_after.changed_at := p_now;
  END IF;
  PERFORM switchyard.keep_breaker(p_state, v_after, 'cooldownElapsed', NULL, p_replica, p_now);
  RETURN v_after.epoch;
END $$;
--> statement-breakpoint
-- Takes breaker, slot and money for the first candidate that has all three: in one act, or not at all.
CREATE FUNCTION switchyard.admit(p jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz := switchyard.clock();
  v_hold uuid := p->>'holdId';
  v_default_cap bigint := p->>'defaultCap';
  v_ceiling bigint := p->>'ceiling';
  v_attempt_ms double precision := (p->>'attemptMs')::double precision;
  v_account switchyard.account;
  v_has_account boolean := false;
  v_is_locked boolean := false;
  v_state switchyard.provider_state;
  v_refusals jsonb := '[]';
  v_why jsonb;
  v_is_probe boolean;
  v_epoch integer;
  v_slot integer;
  v_available bigint;
  v_least bigint;
  v_most bigint;
  v_limit bigint;
  v_amount bigint;
  v_tokens bigint;
  c jsonb;
BEGIN
  FOR c IN SELECT value FROM jsonb_array_elements(p->'candidates') WITH ORDINALITY ORDER BY ordinality LOOP
    SELECT * INTO v_state FROM switchyard.provider_state WHERE provider = c->>'provider';
    IF NOT FOUND THEN RAISE EXCEPTION 'the store knows no provider %', c->>'provider'; END IF;
    v_is_probe := false;
    v_why := switchyard.provider_refusal(v_state, v_now);
    IF v_why IS NULL AND v_state.state <> 'closed' THEN
      -- Nobody queues behind a probe: whoever holds the row is claiming it, or changing the breaker right now.
      SELECT * INTO v_state FROM switchyard.provider_state WHERE provider = c->>'provider' FOR UPDATE SKIP LOCKED;
      IF FOUND THEN
        v_why := switchyard.provider_refusal(v_state, v_now);
        v_is_probe := v_why IS NULL AND v_state.state <> 'closed';
      ELSE
        v_why := jsonb_build_object('kind', 'breakerProbing', 'untilMs', switchyard.ms(v_now) + 1000);
      END IF;
    END IF;
    IF v_why IS NULL THEN
      SELECT slot INTO v_slot FROM switchyard.rate_slot WHERE provider = v_state.provider AND free_at <= v_now
        ORDER BY free_at LIMIT 1 FOR UPDATE SKIP LOCKED;
      IF NOT FOUND THEN
        v_why := jsonb_build_object('kind', 'rateLimited', 'untilMs', (SELECT coalesce(min(switchyard.ms(free_at)),
          switchyard.ms(v_now) + 60250) FROM switchyard.rate_slot WHERE provider = v_state.provider AND free_at > v_now));
      END IF;
    END IF;
    IF v_why IS NULL THEN
      IF NOT v_has_account THEN
        v_account := switchyard.lock_account(p->>'account', v_now);
        v_has_account := true;
        v_is_locked := v_account.key IS NOT NULL;
        IF NOT v_is_locked THEN v_account := switchyard.fresh_account(p->>'account', v_now); END IF;
      END IF;
      v_least := (c->>'input')::bigint + (c->>'perOutputToken')::bigint * (c->>'outputTokensMin')::bigint;
      v_most := (c->>'input')::bigint + (c->>'perOutputToken')::bigint * (c->>'outputTokensMax')::bigint;
      LOOP
        v_available := coalesce(v_account.cap, v_default_cap) - v_account.posted - v_account.held;
        v_limit := least(coalesce(v_available, v_most), coalesce(v_ceiling, v_most), v_most);
        EXIT WHEN v_least > v_limit;
        v_tokens := CASE WHEN v_most <= v_limit THEN (c->>'outputTokensMax')::bigint
          ELSE (v_limit - (c->>'input')::bigint) / (c->>'perOutputToken')::bigint END;
        v_amount := (c->>'input')::bigint + (c->>'perOutputToken')::bigint * v_tokens;
        IF v_is_locked THEN
          UPDATE switchyard.account SET held = held + v_amount WHERE key = v_account.key;
          EXIT;
        END IF;
        -- The account is new, and so is not locked. Whoever creates it first, the sum is done again by what stands in its locked row.
        INSERT INTO switchyard.account (key, period_started_at) VALUES (v_account.key, v_now) ON CONFLICT DO NOTHING;
        v_account := switchyard.lock_account(p->>'account', v_now);
        v_is_locked := true;
      END LOOP;
      IF v_least > v_limit THEN
        v_why := CASE WHEN v_least > v_ceiling
          THEN jsonb_build_object('kind', 'overCostLimit', 'required', v_least::text)
          ELSE jsonb_build_object('kind', 'overBudget', 'required', v_least::text,
            'available', coalesce(v_available, 0)::text, 'held', v_account.held::text) END;
      END IF;
    END IF;
    IF v_why IS NULL THEN
      UPDATE switchyard.rate_slot SET free_at = v_now + interval '60.25 seconds'
        WHERE provider = v_state.provider AND slot = v_slot;
      v_epoch := v_state.epoch;
      IF v_is_probe THEN
        v_epoch := switchyard.claim_probe(v_state, v_hold, v_now + switchyard.span(v_attempt_ms + 5000), p->>'replica', v_now);
      END IF;
      INSERT INTO switchyard.hold (id, request_id, attempt, account, provider, model, amount, epoch, is_probe,
          started_at, expires_at, replica)
        VALUES (v_hold, (p->>'requestId')::uuid, (p->>'attempt')::integer, v_account.key, v_state.provider, c->>'model',
          v_amount, v_epoch, v_is_probe, v_now, v_now + switchyard.span(v_attempt_ms + 30000), p->>'replica');
      v_account.held := v_account.held + v_amount;
      RETURN jsonb_build_object('kind', 'admitted', 'refusals', v_refusals, 'account', switchyard.account_json(v_account),
        'permit', jsonb_build_object('provider', v_state.provider, 'model', c->>'model', 'held', v_amount::text,
          'outputTokens', v_tokens, 'isProbe', v_is_probe, 'admittedAtMs', switchyard.ms(v_now),
          'simulation', switchyard.simulation_json(v_state, v_now)));
    END IF;
    v_refusals := v_refusals || jsonb_build_object('provider', c->>'provider', 'model', c->>'model', 'why', v_why);
  END LOOP;
  IF NOT v_has_account THEN
    v_account := switchyard.lock_account(p->>'account', v_now);
    IF v_account.key IS NULL THEN v_account := switchyard.fresh_account(p->>'account', v_now); END IF;
  END IF;
  RETURN jsonb_build_object('kind', 'refused', 'refusals', v_refusals, 'account', switchyard.account_json(v_account));
END $$;
--> statement-breakpoint
-- The breaker after a report on its own present epoch. `p_state` is locked. Answers the state to keep and the cause.
CREATE FUNCTION switchyard.breaker_after(
  p_state switchyard.provider_state, p_started_at timestamptz, p_verdict jsonb, p_jitter double precision,
  p_now timestamptz, OUT after switchyard.provider_state, OUT cause text
) LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  v_doubled_ms integer;
BEGIN
  after := p_state;
  CASE p_verdict->>'kind'
    WHEN 'neutral' THEN
      IF p_state.state = 'halfOpen' THEN after.probe_id := NULL; after.probe_until := NULL; END IF;
      RETURN;
    WHEN 'success' THEN
      IF p_state.state = 'closed' AND coalesce(p_started_at < p_state.streak_started_at, true) THEN RETURN; END IF;
      after.fails := 0; after.streak_started_at := NULL;
      IF p_state.state = 'closed' THEN RETURN; END IF;
      cause := 'probeSucceeded';
      after.state := 'closed'; after.reopen_count := 0; after.probe_id := NULL; after.probe_until := NULL;
    WHEN 'failure' THEN
      after.fails := p_state.fails + 1;
      IF p_state.state = 'closed' AND after.fails < 3 THEN
        after.streak_started_at := coalesce(p_state.streak_started_at, p_now);
        RETURN;
      END IF;
      cause := CASE WHEN (p_verdict->>'isSimulated')::boolean THEN 'simulation'
        WHEN p_state.state = 'closed' THEN 'failureThreshold' ELSE 'probeFailed' END;
      IF p_state.state = 'halfOpen' THEN after.reopen_count := p_state.reopen_count + 1; END IF;
      v_doubled_ms := least(60000 * power(2, least(after.reopen_count, 10))::bigint, 600000);
      after.state := 'open'; after.opened_at := p_now; after.streak_started_at := NULL;
      after.probe_id := NULL; after.probe_until := NULL;
      after.opened_until := p_now + switchyard.span(greatest(
        v_doubled_ms + floor(v_doubled_ms * 0.1::double precision * p_jitter),
        coalesce((p_verdict->>'retryAfterMs')::double precision, 0)));
  END CASE;
  after.epoch := p_state.epoch + 1;
  after.changed_at := p_now;
END $$;
--> statement-breakpoint
-- True when a report on this hold may still change the breaker.
CREATE FUNCTION switchyard.is_current(s switchyard.provider_state, h switchyard.hold) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT s.epoch = h.epoch AND CASE WHEN h.is_probe
    THEN s.state = 'halfOpen' AND s.probe_id IS NOT DISTINCT FROM h.id ELSE s.state = 'closed' END
$$;
--> statement-breakpoint
-- True when a verdict leaves a closed breaker as it is: closed and healthy costs one read and no lock.
CREATE FUNCTION switchyard.is_no_news(s switchyard.provider_state, p_verdict jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT s.state = 'closed' AND (p_verdict->>'kind' = 'neutral'
    OR (p_verdict->>'kind' = 'success' AND s.streak_started_at IS NULL))
$$;
--> statement-breakpoint
-- Ends a permit: money, breaker and throttle in one act. Idempotent by the hold's id.
CREATE FUNCTION switchyard.settle(p jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz := switchyard.clock();
  v_verdict jsonb := p->'verdict';
  v_hold switchyard.hold;
  v_account switchyard.account;
  v_state switchyard.provider_state;
  v_told record;
  v_after switchyard.provider_state;
  v_is_stale boolean;
  v_transition jsonb;
  v_spent bigint;
  v_moved bigint;
BEGIN
  SELECT * INTO v_hold FROM switchyard.hold WHERE id = (p->>'holdId')::uuid FOR UPDATE;
  IF NOT FOUND THEN RETURN jsonb_build_object('kind', 'unknownHold'); END IF;
  IF v_hold.state NOT IN ('held', 'expired') THEN RETURN jsonb_build_object('kind', 'alreadySettled'); END IF;

  IF p->>'throttledForMs' IS NOT NULL OR p->>'setAside' IS NOT NULL THEN
    UPDATE switchyard.provider_state SET
      throttled_until = coalesce(v_now + switchyard.span((p->>'throttledForMs')::double precision), throttled_until),
      set_aside_until = CASE WHEN p->>'setAside' IS NULL THEN set_aside_until ELSE v_now + interval '10 minutes' END,
      set_aside_detail = coalesce(p->>'setAside', set_aside_detail)
    WHERE provider = v_hold.provider;
  END IF;
  SELECT * INTO v_state FROM switchyard.provider_state WHERE provider = v_hold.provider;
  IF switchyard.is_current(v_state, v_hold) AND NOT switchyard.is_no_news(v_state, v_verdict) THEN
    SELECT * INTO v_state FROM switchyard.provider_state WHERE provider = v_hold.provider FOR UPDATE;
    IF switchyard.is_current(v_state, v_hold) THEN
      v_told := switchyard.breaker_after(v_state, v_hold.started_at, v_verdict, (p->>'jitter')::double precision, v_now);
      v_after := v_told.after;
    END IF;
  END IF;
  v_is_stale := NOT switchyard.is_current(v_state, v_hold);

  v_spent := CASE p->'charge'->>'kind' WHEN 'spent' THEN (p->'charge'->>'amount')::bigint
    WHEN 'hold' THEN v_hold.amount ELSE 0 END;
  v_account := switchyard.lock_account(v_hold.account, v_now);
  -- An expired hold was posted in full: what is settled late only corrects that, and never below nothing.
  v_moved := greatest(CASE v_hold.state WHEN 'held' THEN v_spent ELSE v_spent - v_hold.amount END, -v_account.posted);
  UPDATE switchyard.hold SET state = CASE p->'charge'->>'kind' WHEN 'nothing' THEN 'voided' ELSE 'posted' END,
    ended_at = v_now WHERE id = v_hold.id;
  UPDATE switchyard.account SET posted = posted + v_moved,
    held = held - CASE v_hold.state WHEN 'held' THEN v_hold.amount ELSE 0 END
    WHERE key = v_hold.account RETURNING * INTO v_account;
  INSERT INTO switchyard.ledger_entry (account, hold_id, amount, kind, evidence, overrun, at)
    VALUES (v_hold.account, v_hold.id, v_moved, CASE v_hold.state WHEN 'held' THEN 'settled' ELSE 'correction' END,
      coalesce(p->'charge'->>'source', CASE p->'charge'->>'kind' WHEN 'hold' THEN 'estimated' ELSE 'nothing' END),
      greatest(v_spent - v_hold.amount, 0), v_now);

  IF v_after.provider IS NOT NULL THEN
    v_transition := switchyard.keep_breaker(v_state, v_after, v_told.cause, NULL, p->>'replica', v_now);
  END IF;
  RETURN jsonb_build_object('kind', 'settled', 'posted', v_spent::text,
    'overrun', greatest(v_spent - v_hold.amount, 0)::text, 'transition', v_transition, 'isStale', v_is_stale,
    'account', switchyard.account_json(v_account));
END $$;
--> statement-breakpoint
-- Counts one simulated failure as played. False when the simulation has ended meanwhile.
CREATE FUNCTION switchyard.claim_simulated_failure(p_provider text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_state switchyard.provider_state;
BEGIN
  SELECT * INTO v_state FROM switchyard.provider_state WHERE provider = p_provider FOR UPDATE;
  IF switchyard.simulation_json(v_state, switchyard.clock()) IS NULL THEN RETURN false; END IF;
  UPDATE switchyard.provider_state SET simulation_injected = simulation_injected + 1 WHERE provider = p_provider;
  RETURN true;
END $$;
--> statement-breakpoint
-- Ends holds that nobody settled in time: posted in full, never given back. One reaper at a time; accounts in sorted order.
CREATE FUNCTION switchyard.reap(p_count integer) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz := switchyard.clock();
  v_hold switchyard.hold;
  v_ended jsonb := '[]';
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtext('switchyard.reap')) THEN RETURN v_ended; END IF;
  FOR v_hold IN
    SELECT * FROM (SELECT * FROM switchyard.hold WHERE state = 'held' AND expires_at <= v_now
      ORDER BY expires_at LIMIT p_count FOR UPDATE SKIP LOCKED) due ORDER BY account, id
  LOOP
    PERFORM switchyard.lock_account(v_hold.account, v_now);
    UPDATE switchyard.hold SET state = 'expired', ended_at = v_now WHERE id = v_hold.id;
    UPDATE switchyard.account SET posted = posted + v_hold.amount, held = held - v_hold.amount WHERE key = v_hold.account;
    INSERT INTO switchyard.ledger_entry (account, hold_id, amount, kind, evidence, at)
      VALUES (v_hold.account, v_hold.id, v_hold.amount, 'unconfirmed', 'nobody settled it in time', v_now);
    v_ended := v_ended || jsonb_build_object('holdId', v_hold.id, 'requestId', v_hold.request_id,
      'account', v_hold.account, 'amount', v_hold.amount::text);
  END LOOP;
  RETURN v_ended;
END $$;
--> statement-breakpoint
-- Makes the rows of the registry in force. A lowered limit keeps the busiest slots, so that no window holds more than it.
CREATE FUNCTION switchyard.sync_providers(p jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  c jsonb;
  v_missing integer;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('switchyard.sync_providers'));
  UPDATE switchyard.provider_state SET position = NULL
    WHERE provider NOT IN (SELECT value->>'key' FROM jsonb_array_elements(p)) AND position IS NOT NULL;
  FOR c IN SELECT value || jsonb_build_object('position', ordinality) FROM jsonb_array_elements(p) WITH ORDINALITY LOOP
    INSERT INTO switchyard.provider_state (provider, position, changed_at)
      VALUES (c->>'key', (c->>'position')::integer, switchyard.clock())
      ON CONFLICT (provider) DO UPDATE SET position = excluded.position
      WHERE provider_state.position IS DISTINCT FROM excluded.position;
    SELECT (c->>'requestsPerMinute')::integer - count(*) INTO v_missing
      FROM switchyard.rate_slot WHERE provider = c->>'key';
    IF v_missing > 0 THEN
      INSERT INTO switchyard.rate_slot (provider, slot)
        SELECT c->>'key', coalesce((SELECT max(slot) FROM switchyard.rate_slot WHERE provider = c->>'key'), 0) + extra
        FROM generate_series(1, v_missing) extra;
    ELSIF v_missing < 0 THEN
      DELETE FROM switchyard.rate_slot WHERE provider = c->>'key' AND slot IN (
        SELECT slot FROM switchyard.rate_slot WHERE provider = c->>'key' ORDER BY free_at LIMIT -v_missing FOR UPDATE);
    END IF;
  END LOOP;
END $$;
--> statement-breakpoint
-- How all providers stand, with the use of their rolling limits, at one instant.
CREATE FUNCTION switchyard.survey() RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_now timestamptz := switchyard.clock();
BEGIN
  RETURN jsonb_build_object('nowMs', switchyard.ms(v_now), 'providers', (
    SELECT jsonb_agg(switchyard.provider_json(s, v_now) || jsonb_build_object('slotsUsed', (SELECT count(*)
      FROM switchyard.rate_slot r WHERE r.provider = s.provider AND r.free_at > v_now)) ORDER BY s.position)
    FROM switchyard.provider_state s WHERE s.position IS NOT NULL));
END $$;
--> statement-breakpoint
CREATE FUNCTION switchyard.keep_audit(p_act text, p_target text, p_actor jsonb, p_detail jsonb, p_now timestamptz) RETURNS void
LANGUAGE sql AS $$
  INSERT INTO switchyard.audit (at, actor, act, target, reason, detail)
    VALUES (p_now, p_actor->>'name', p_act, p_target, p_actor->>'reason', p_detail)
$$;
--> statement-breakpoint
CREATE FUNCTION switchyard.simulate(p_provider text, p_wish jsonb, p_actor jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz := switchyard.clock();
BEGIN
  UPDATE switchyard.provider_state SET simulation_mode = p_wish->>'mode', simulation_injected = 0,
    simulation_rate = (p_wish->>'rate')::double precision,
    simulation_ends_at = v_now + switchyard.span((p_wish->>'durationMs')::double precision),
    simulation_failures_max = (p_wish->>'failuresMax')::integer,
    simulation_latency_ms = (p_wish->>'latencyMs')::integer
  WHERE provider = p_provider;
  PERFORM switchyard.keep_audit('simulateFailure', p_provider, p_actor, p_wish, v_now);
END $$;
--> statement-breakpoint
-- Answers the providers that had a simulation in force. Null: all providers are meant.
CREATE FUNCTION switchyard.stop_simulation(p_provider text, p_actor jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz := switchyard.clock();
  v_healed jsonb;
BEGIN
  PERFORM 1 FROM switchyard.provider_state WHERE provider = coalesce(p_provider, provider) ORDER BY position FOR UPDATE;
  SELECT coalesce(jsonb_agg(s.provider ORDER BY s.position), '[]') INTO v_healed FROM switchyard.provider_state s
    WHERE s.provider = coalesce(p_provider, s.provider) AND switchyard.simulation_json(s, v_now) IS NOT NULL;
  UPDATE switchyard.provider_state SET simulation_mode = NULL WHERE provider IN (SELECT jsonb_array_elements_text(v_healed));
  PERFORM switchyard.keep_audit('stopSimulation', coalesce(p_provider, '*'), p_actor, v_healed, v_now);
  RETURN v_healed;
END $$;
--> statement-breakpoint
-- Closes a breaker and forgets failures, throttle and setting aside. Answers the event, or null when it was closed already.
CREATE FUNCTION switchyard.reset_breaker(p_provider text, p_actor jsonb, p_replica text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz := switchyard.clock();
  v_state switchyard.provider_state;
  v_after switchyard.provider_state;
BEGIN
  UPDATE switchyard.provider_state SET throttled_until = NULL, set_aside_until = NULL
    WHERE provider = p_provider RETURNING * INTO v_state;
  v_after := v_state;
  v_after.fails := 0; v_after.streak_started_at := NULL;
  IF v_state.state <> 'closed' THEN
    v_after.state := 'closed'; v_after.epoch := v_state.epoch + 1; v_after.changed_at := v_now;
    v_after.reopen_count := 0; v_after.opened_until := NULL; v_after.probe_id := NULL; v_after.probe_until := NULL;
  END IF;
  PERFORM switchyard.keep_audit('resetBreaker', p_provider, p_actor, '{}', v_now);
  RETURN switchyard.keep_breaker(v_state, v_after, 'manualReset', p_actor->>'reason', p_replica, v_now);
END $$;
--> statement-breakpoint
CREATE FUNCTION switchyard.set_enabled(p_provider text, p_enabled boolean, p_actor jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE switchyard.provider_state SET is_enabled = p_enabled,
    set_aside_until = CASE WHEN p_enabled THEN NULL ELSE set_aside_until END WHERE provider = p_provider;
  PERFORM switchyard.keep_audit('setProviderEnabled', p_provider, p_actor,
    jsonb_build_object('enabled', p_enabled), switchyard.clock());
END $$;
--> statement-breakpoint
-- A new cap and period. Spending is kept, unless it is to be forgotten on purpose.
CREATE FUNCTION switchyard.set_budget(p_wish jsonb, p_actor jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz := switchyard.clock();
  v_account switchyard.account;
  v_period text := p_wish->>'period';
  v_is_reset boolean := (p_wish->>'resetUsage')::boolean;
  v_started_at timestamptz;
BEGIN
  INSERT INTO switchyard.account (key, period_started_at) VALUES (p_wish->>'account', v_now) ON CONFLICT DO NOTHING;
  v_account := switchyard.lock_account(p_wish->>'account', v_now);
  v_started_at := CASE WHEN v_period = 'total' AND NOT v_is_reset THEN v_account.period_started_at
    ELSE switchyard.period_start(v_period, v_now) END;
  IF v_is_reset AND v_account.posted <> 0 THEN
    INSERT INTO switchyard.ledger_entry (account, amount, kind, evidence, at)
      VALUES (v_account.key, -v_account.posted, 'reset', 'an operator reset it', v_now);
  END IF;
  UPDATE switchyard.account SET cap = (p_wish->>'cap')::bigint, period = v_period, period_started_at = v_started_at,
    resets_at = switchyard.period_end(v_period, v_started_at), posted = CASE WHEN v_is_reset THEN 0 ELSE posted END
    WHERE key = v_account.key RETURNING * INTO v_account;
  PERFORM switchyard.keep_audit('setBudget', v_account.key, p_actor, p_wish, v_now);
  RETURN switchyard.account_json(v_account);
END $$;
