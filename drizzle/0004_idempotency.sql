CREATE TABLE "switchyard"."idempotency_key" (
	"account" text NOT NULL,
	"key" text NOT NULL,
	"body_hash" text NOT NULL,
	"request_id" uuid NOT NULL,
	"state" text NOT NULL,
	"outcome" text,
	"lease_ends_at" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "idempotency_key_account_key_pk" PRIMARY KEY("account","key")
);
--> statement-breakpoint
CREATE INDEX "idempotency_key_expires_at" ON "switchyard"."idempotency_key" USING btree ("expires_at");
--> statement-breakpoint

-- What a claim is told, by what is known of its key: one word. Null: it may be taken. src/core/idempotency.ts says the same.
CREATE FUNCTION switchyard.key_answer(k switchyard.idempotency_key, p jsonb, p_now timestamptz) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN k.expires_at <= p_now THEN NULL
    WHEN k.state = 'freed' THEN CASE WHEN k.outcome IS NOT NULL AND k.request_id = (p->>'awaited')::uuid THEN 'ended' END
    WHEN k.body_hash <> p->>'bodyHash' THEN 'conflict'
    WHEN k.state = 'kept' THEN 'ended'
    WHEN k.lease_ends_at > p_now AND k.request_id <> (p->>'requestId')::uuid THEN 'running' END
$$;
--> statement-breakpoint
-- Takes a key that is free, or tells who has it. Whoever only waits takes no lock. Whoever would take the key does so only if it is
-- still as it was seen; otherwise somebody was quicker, and it is looked at again. An outcome is a column of its own in the answer:
-- inside of JSON a long one would be written and read twice.
CREATE FUNCTION switchyard.claim_key(p jsonb, OUT kind text, OUT holder uuid, OUT outcome text) LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz := switchyard.clock();
  v_lease_ends_at timestamptz := v_now + switchyard.span((p->>'leaseMs')::double precision);
  v_expires_at timestamptz := v_now + switchyard.span((p->>'keptMs')::double precision);
  v_request uuid := p->>'requestId';
  k switchyard.idempotency_key;
BEGIN
  LOOP
    SELECT * INTO k FROM switchyard.idempotency_key i WHERE i.account = p->>'account' AND i.key = p->>'key';
    IF FOUND THEN
      kind := switchyard.key_answer(k, p, v_now);
      IF kind IS NOT NULL THEN
        holder := k.request_id;
        IF kind = 'ended' THEN outcome := k.outcome; END IF;
        RETURN;
      END IF;
      UPDATE switchyard.idempotency_key i SET body_hash = p->>'bodyHash', request_id = v_request, state = 'running',
          outcome = NULL, lease_ends_at = v_lease_ends_at, created_at = v_now, expires_at = v_expires_at
        WHERE i.account = k.account AND i.key = k.key AND i.request_id = k.request_id AND i.state = k.state
          AND i.lease_ends_at = k.lease_ends_at;
    ELSE
      INSERT INTO switchyard.idempotency_key
          (account, key, body_hash, request_id, state, lease_ends_at, created_at, expires_at)
        VALUES (p->>'account', p->>'key', p->>'bodyHash', v_request, 'running', v_lease_ends_at, v_now, v_expires_at)
        ON CONFLICT DO NOTHING;
    END IF;
    IF FOUND THEN kind := 'claimed'; holder := v_request; RETURN; END IF;
  END LOOP;
END $$;
--> statement-breakpoint
-- Ends a claim. False when it is no longer this request's: its lease ran out and another took over, or it was ended before.
CREATE FUNCTION switchyard.end_claim(
  p_account text, p_key text, p_request uuid, p_state text, p_outcome text, p_kept_ms double precision
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  UPDATE switchyard.idempotency_key
    SET state = p_state, outcome = p_outcome, expires_at = switchyard.clock() + switchyard.span(p_kept_ms)
    WHERE account = p_account AND key = p_key AND request_id = p_request AND state = 'running';
  RETURN FOUND;
END $$;
--> statement-breakpoint
-- Deletes keys that have expired, a batch at a time. Replicas that do it at once take different ones.
CREATE FUNCTION switchyard.forget_keys(p_count integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  v_count integer;
BEGIN
  DELETE FROM switchyard.idempotency_key WHERE (account, key) IN (
    SELECT account, key FROM switchyard.idempotency_key WHERE expires_at <= switchyard.clock()
    ORDER BY expires_at LIMIT p_count FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS v_count = ROW_COUNT;
  RETURN v_count;
END $$;
