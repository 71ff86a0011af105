CREATE TABLE "switchyard"."rate_waiter" (
	"provider" text NOT NULL,
	"tenant" text NOT NULL,
	"ends_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "rate_waiter_provider_tenant_pk" PRIMARY KEY("provider","tenant")
);
--> statement-breakpoint
ALTER TABLE "switchyard"."rate_slot" ADD COLUMN "tenant" text;
--> statement-breakpoint

-- Half of a rolling limit is the most that one tenant takes while another waits for a slot. Who waits is noted apart from the requests,
-- and asked for only where somebody does. src/core/fair-share.ts says the same.

-- Notes that a tenant was told to come back. No slot is further ahead than one that is taken now, so nobody is waited for longer.
CREATE FUNCTION switchyard.note_waiting(p jsonb) RETURNS void LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  v_now timestamptz := switchyard.clock();
BEGIN
  -- Fairness is no money: nobody waits for the disk.
  PERFORM set_config('synchronous_commit', 'off', true);
  -- The two that are waited for longest say everything: whoever asks, the last of the others is one of them. So nobody can add to what
  -- others have to read; and of many that are told the same moment only two write.
  INSERT INTO switchyard.rate_waiter AS w (provider, tenant, ends_at)
    SELECT provider, p->>'tenant', ends_at FROM (SELECT value->>'provider' AS provider, interval '5 seconds'
        + least(switchyard.slot_taken_until(v_now), timestamptz 'epoch' + switchyard.span((value->>'untilMs')::double precision)) AS ends_at
      FROM jsonb_array_elements(p->'at')) told
      WHERE (SELECT count(*) FROM switchyard.rate_waiter r WHERE r.provider = told.provider AND r.ends_at >= told.ends_at) < 2
      ORDER BY provider COLLATE "C"
    ON CONFLICT (provider, tenant) DO UPDATE SET ends_at = excluded.ends_at WHERE w.ends_at < excluded.ends_at;
  -- Last, and skipping: whoever holds locks here waits for nobody. What is left over by others at the same moment goes with the next.
  DELETE FROM switchyard.rate_waiter WHERE ctid IN (SELECT r.ctid FROM switchyard.rate_waiter r
    JOIN jsonb_array_elements(p->'at') a ON a.value->>'provider' = r.provider
    CROSS JOIN LATERAL (SELECT ends_at, tenant FROM switchyard.rate_waiter WHERE provider = r.provider
      ORDER BY ends_at DESC, tenant DESC OFFSET 1 LIMIT 1) kept
    WHERE (r.ends_at, r.tenant) < (kept.ends_at, kept.tenant) FOR UPDATE OF r SKIP LOCKED);
END $$;
--> statement-breakpoint
-- What tenants of an exchange have of a provider's slots: the instants at which theirs are free, the last first.
CREATE TYPE switchyard.tenant_slots AS (tenant text, free_at timestamptz[]);
--> statement-breakpoint
-- Who waits for a provider, and the tenants that may have to leave it to them. `next_until` is null while only one waits.
CREATE TYPE switchyard.waiting AS (latest text, latest_until timestamptz, next_until timestamptz, share integer,
  own switchyard.tenant_slots[]);
--> statement-breakpoint
-- Read once for each provider of an exchange, whoever and however many are in it. Null: nobody waits.
CREATE FUNCTION switchyard.waiting_at(p_provider text, p_admissions integer, p_now timestamptz) RETURNS switchyard.waiting
LANGUAGE plpgsql STABLE AS $$
DECLARE
  w switchyard.waiting;
  v_tenants text[];
  v_ends timestamptz[];
BEGIN
  SELECT array_agg(tenant), array_agg(ends_at) INTO v_tenants, v_ends FROM (SELECT tenant, ends_at FROM switchyard.rate_waiter
    WHERE provider = p_provider AND ends_at > p_now ORDER BY ends_at DESC LIMIT 2) last;
  IF v_tenants IS NULL THEN RETURN NULL; END IF;
  w.latest := v_tenants[1];
  w.latest_until := v_ends[1];
  w.next_until := v_ends[2];
  w.share := greatest((SELECT count(*) FROM switchyard.rate_slot WHERE provider = p_provider) / 2, 1);
  -- Only of those that can come to their share in this exchange.
  w.own := ARRAY(SELECT ROW(tenant, array_agg(free_at ORDER BY free_at DESC))::switchyard.tenant_slots FROM switchyard.rate_slot
    WHERE provider = p_provider AND free_at > p_now AND tenant IS NOT NULL GROUP BY tenant HAVING count(*) + p_admissions > w.share);
  RETURN w;
END $$;
--> statement-breakpoint
-- Until when a tenant leaves the free slots of a provider to others, at the latest, counting those that it takes in this call. Null: it need
-- not. What other replicas give it at this very moment is not seen: it may come to a little more than half.
CREATE FUNCTION switchyard.held_back_until(w switchyard.waiting, p_tenant text, p_taken bigint, p_now timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_awaited_until timestamptz := CASE WHEN w.latest = p_tenant THEN w.next_until ELSE w.latest_until END;
  v_less_at timestamptz;
BEGIN
  IF v_awaited_until IS NULL THEN RETURN NULL; END IF;
  IF p_taken >= w.share THEN
    v_less_at := switchyard.slot_taken_until(p_now);
  ELSE
    v_less_at := (SELECT free_at[w.share - p_taken] FROM unnest(w.own) WHERE tenant = p_tenant);
    IF v_less_at IS NULL THEN RETURN NULL; END IF;
  END IF;
  RETURN switchyard.ms(least(v_less_at, v_awaited_until));
END $$;
--> statement-breakpoint
-- As before; a slot that a replica reserves is nobody's.
CREATE OR REPLACE FUNCTION switchyard.reserve_slots(p jsonb, p_now timestamptz, p_lease interval) RETURNS jsonb LANGUAGE plpgsql AS $$
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
      UPDATE switchyard.rate_slot SET free_at = v_until, tenant = NULL WHERE ctid = ANY(v_rows) RETURNING provider, slot
    ) SELECT coalesce(jsonb_agg(jsonb_build_array(provider, slot, switchyard.ms(v_until))), '[]') INTO v_some FROM taken;
    v_mine := v_mine || v_some;
  END LOOP;
  RETURN v_mine;
END $$;
--> statement-breakpoint
-- As in 0002, of all who pay: as much as the one that has least can pay, or nothing of nobody. Who is asked to pay under the default
-- cap is under it from then on. A tenant with half of a provider's slots is
-- refused while another waits there.
CREATE OR REPLACE FUNCTION switchyard.admit_all(p jsonb, p_now timestamptz) RETURNS jsonb LANGUAGE plpgsql AS $$
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
  v_waiting switchyard.waiting[];
  v_tenant text;
  v_held_back bigint;
  v_available bigint;
  v_also integer[];
  v_pays boolean[];
  v_answer jsonb;
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
  b integer;
  n integer := 0;
  o_id uuid[] := '{}'; o_request uuid[] := '{}'; o_attempt integer[] := '{}'; o_account text[] := '{}'; o_provider text[] := '{}';
  o_model text[] := '{}'; o_amount bigint[] := '{}'; o_epoch integer[] := '{}'; o_probe boolean[] := '{}'; o_lease float8[] := '{}';
  o_slot integer[] := '{}'; o_also text[] := '{}'; o_tenant text[] := '{}';
BEGIN
  SELECT array_agg(x ORDER BY place), array_agg(coalesce(x.state = 'closed' AND switchyard.provider_refusal(x, p_now) IS NULL, false) ORDER BY place),
      array_agg(coalesce(w.count, 0) ORDER BY place), array_agg(1), array_agg(0), array_agg(NULL::bigint),
      array_agg(timestamptz '-infinity'), array_agg(0), array_agg(0),
      array_agg(CASE WHEN EXISTS (SELECT 1 FROM switchyard.rate_waiter r WHERE r.provider = name AND r.ends_at > p_now)
        THEN switchyard.waiting_at(name, jsonb_array_length(admit_all.p->'admissions'), p_now) END ORDER BY place)
    INTO v_states, v_is_plain, v_wanted, v_next, v_last, v_full_until, v_claimed_at, v_claimed_slot, v_claimed_count, v_waiting
    FROM jsonb_array_elements_text(p->'providers') WITH ORDINALITY p(name, place)
    LEFT JOIN switchyard.provider_state x ON x.provider = name
    LEFT JOIN (SELECT (value->'candidates'->0->>0)::integer + 1 AS place, count(*)::integer AS count
      FROM jsonb_array_elements(p->'admissions') GROUP BY 1) w USING (place);
  SELECT array_agg(x ORDER BY place), array_agg(x.key ORDER BY place), array_agg(x.held ORDER BY place), array_agg(x.under_default ORDER BY place)
    INTO v_accounts, v_keys, v_held, v_pays
    FROM jsonb_array_elements_text(p->'accounts') WITH ORDINALITY k(key, place) JOIN switchyard.account x ON x.key = k.key;
  FOR admission IN SELECT value FROM jsonb_array_elements(p->'admissions') LOOP
    a := (admission->>'account')::integer + 1;
    v_available := coalesce((v_accounts[a]).cap, (admission->>'defaultCap')::bigint) - (v_accounts[a]).posted - v_held[a];
    v_pays[a] := v_pays[a] OR admission->>'defaultCap' IS NOT NULL;
    v_also := NULL;
    IF admission ? 'also' THEN
      v_also := ARRAY(SELECT value::integer + 1 FROM jsonb_array_elements_text(admission->'also') WITH ORDINALITY ORDER BY ordinality);
      FOREACH b IN ARRAY v_also LOOP
        v_available := least(v_available, (v_accounts[b]).cap - (v_accounts[b]).posted - v_held[b]);
      END LOOP;
    END IF;
    v_tenant := v_keys[(admission->>'tenant')::integer + 1];
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
      IF v_why IS NULL AND (v_waiting[s]).share IS NOT NULL THEN
        v_held_back := switchyard.held_back_until(v_waiting[s], v_tenant,
          (SELECT count(*) FROM unnest(o_provider, o_tenant) o(provider, tenant)
            WHERE o.provider = (v_states[s]).provider AND o.tenant = v_tenant), p_now);
        IF v_held_back IS NOT NULL THEN v_why := jsonb_build_object('kind', 'rateLimited', 'untilMs', v_held_back); END IF;
      END IF;
      IF v_why IS NULL THEN
        v_input := c->>2;
        v_each := c->>3;
        v_most := v_input + v_each * (c->>4)::bigint;
        v_least := v_input + v_each * (c->>5)::bigint;
        v_limit := least(v_available, v_ceiling, v_most);
        IF v_least <= v_limit THEN
          v_tokens := CASE WHEN v_most <= v_limit THEN (c->>4)::bigint ELSE (v_limit - v_input) / v_each END;
          v_amount := v_input + v_each * v_tokens;
          EXIT;
        END IF;
        IF v_least > v_ceiling THEN
          v_why := jsonb_build_object('kind', 'overCostLimit', 'required', v_least::text);
        ELSE
          -- Of those who cannot pay, the one that will have least when nothing is held any more.
          SELECT jsonb_build_object('kind', 'overBudget', 'account', v_keys[i], 'required', v_least::text,
              'available', (unspent - v_held[i])::text, 'held', v_held[i]::text) INTO v_why
            FROM (SELECT i, place, coalesce((v_accounts[i]).cap, CASE WHEN place = 1 THEN (admission->>'defaultCap')::bigint END)
                - (v_accounts[i]).posted AS unspent FROM unnest(a || v_also) WITH ORDINALITY payer(i, place)) payers
            WHERE unspent - v_held[i] < v_least ORDER BY unspent, place LIMIT 1;
        END IF;
      END IF;
      v_refusals := v_refusals || v_why;
      k := k + 1;
    END LOOP;
    IF v_amount IS NULL THEN
      v_answer := jsonb_build_object('refusals', v_refusals, 'held', v_held[a]::text);
      IF v_also IS NOT NULL THEN v_answer := v_answer || switchyard.also_held_json(v_also, v_held); END IF;
      v_answers := v_answers || v_answer;
      CONTINUE;
    END IF;
    n := n + 1;
    o_slot[n] := v_slots[v_next[s]];
    o_tenant[n] := v_tenant;
    v_next[s] := v_next[s] + 1;
    v_held[a] := v_held[a] + v_amount;
    IF v_also IS NOT NULL THEN
      FOREACH b IN ARRAY v_also LOOP v_held[b] := v_held[b] + v_amount; END LOOP;
      o_also[n] := ARRAY(SELECT v_keys[i] FROM unnest(v_also) WITH ORDINALITY payer(i, place) ORDER BY place)::text;
    ELSE
      o_also[n] := NULL;
    END IF;
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
    v_answer := jsonb_build_object('refusals', v_refusals, 'held', v_held[a]::text, 'candidate', k,
      'amount', v_amount::text, 'outputTokens', v_tokens, 'isProbe', v_is_probe, 'simulation', CASE WHEN v_state.simulation_mode IS NOT NULL
        THEN switchyard.simulation_json(v_state, p_now) END);
    IF v_also IS NOT NULL THEN v_answer := v_answer || switchyard.also_held_json(v_also, v_held); END IF;
    v_answers := v_answers || v_answer;
  END LOOP;
  UPDATE switchyard.rate_slot SET free_at = switchyard.slot_taken_until(p_now), tenant = taken.tenant
    FROM unnest(o_provider, o_slot, o_tenant) taken(provider, slot, tenant) WHERE rate_slot.provider = taken.provider AND rate_slot.slot = taken.slot;
  INSERT INTO switchyard.hold (id, request_id, attempt, account, also, provider, model, amount, epoch, is_probe, started_at, expires_at, replica)
    SELECT h.id, h.request, h.attempt, h.account, h.also::text[], h.provider, h.model, h.amount, h.epoch, h.probe, p_now,
      p_now + switchyard.span(h.lease), p->>'replica'
    FROM unnest(o_id, o_request, o_attempt, o_account, o_provider, o_model, o_amount, o_epoch, o_probe, o_lease, o_also)
      h(id, request, attempt, account, provider, model, amount, epoch, probe, lease, also);
  UPDATE switchyard.account SET held = now.held, under_default = now.pays FROM unnest(v_keys, v_held, v_pays) now(key, held, pays)
    WHERE account.key = now.key AND (account.held <> now.held OR account.under_default <> now.pays);
  RETURN jsonb_build_object('nowMs', switchyard.ms(p_now), 'answers', to_jsonb(v_answers), 'accounts', to_jsonb(ARRAY(
    SELECT switchyard.account_json(v_accounts[place]) FROM generate_subscripts(v_accounts, 1) place ORDER BY place)));
END $$;
