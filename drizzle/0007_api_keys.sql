-- The credentials of callers, and the acts on them. Each change writes its audit line in the same commit; a key that ends is told to all
-- replicas by a notification, which is only a hint: each of them asks again by itself. An act locks one key and nothing else.

CREATE TABLE "switchyard"."api_key" (
	"id" text PRIMARY KEY NOT NULL,
	"sequence" bigint GENERATED ALWAYS AS IDENTITY (sequence name "switchyard"."api_key_sequence_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"line" text NOT NULL,
	"hash" text NOT NULL,
	"name" text NOT NULL,
	"scopes" text[] NOT NULL,
	"user_id" text,
	"team_id" text,
	"requests_per_minute" integer,
	"tokens_per_minute" integer,
	"concurrency" integer,
	"created_at" timestamp (3) with time zone NOT NULL,
	"last_used_at" timestamp (3) with time zone,
	"expires_at" timestamp (3) with time zone,
	"revoked_at" timestamp (3) with time zone,
	CONSTRAINT "api_key_sequence_unique" UNIQUE("sequence"),
	CONSTRAINT "api_key_hash_unique" UNIQUE("hash")
);
--> statement-breakpoint
CREATE INDEX "api_key_end" ON "switchyard"."api_key" USING btree (least("revoked_at", "expires_at"));
--> statement-breakpoint
CREATE FUNCTION switchyard.api_key_json(k switchyard.api_key) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_object('id', k.id, 'line', k.line, 'name', k.name, 'scopes', k.scopes, 'userId', k.user_id, 'teamId', k.team_id,
    'requestsPerMinute', k.requests_per_minute, 'tokensPerMinute', k.tokens_per_minute, 'concurrency', k.concurrency,
    'createdAtMs', switchyard.ms(k.created_at), 'lastUsedAtMs', switchyard.ms(k.last_used_at),
    'expiresAtMs', switchyard.ms(k.expires_at), 'revokedAtMs', switchyard.ms(k.revoked_at))
$$;
--> statement-breakpoint
CREATE FUNCTION switchyard.insert_key(p jsonb, p_now timestamptz) RETURNS switchyard.api_key LANGUAGE sql AS $$
  INSERT INTO switchyard.api_key (id, line, hash, name, scopes, user_id, team_id, requests_per_minute, tokens_per_minute, concurrency,
      created_at, expires_at)
    VALUES (p->>'id', p->>'line', p->>'hash', p->>'name', ARRAY(SELECT jsonb_array_elements_text(p->'scopes')), p->>'userId',
      p->>'teamId', (p->'limits'->>'requestsPerMinute')::integer, (p->'limits'->>'tokensPerMinute')::integer,
      (p->'limits'->>'concurrency')::integer, p_now, to_timestamp((p->>'expiresAtMs')::double precision / 1000))
    RETURNING *
$$;
--> statement-breakpoint
-- The hash goes into the table of keys and nowhere else, not even into the audit log.
CREATE FUNCTION switchyard.create_key(p jsonb, p_actor jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz := switchyard.clock();
  v_key switchyard.api_key;
BEGIN
  v_key := switchyard.insert_key(p, v_now);
  PERFORM switchyard.keep_audit('createApiKey', 'key:' || v_key.id, p_actor, p - 'id' - 'hash', v_now);
  RETURN switchyard.api_key_json(v_key);
END $$;
--> statement-breakpoint
-- Null when there is no such key.
CREATE FUNCTION switchyard.revoke_key(p_id text, p_actor jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_key switchyard.api_key;
BEGIN
  -- The time is read once the row is locked: an end lies never before one that was told already.
  PERFORM 1 FROM switchyard.api_key WHERE id = p_id FOR UPDATE;
  UPDATE switchyard.api_key SET revoked_at = least(revoked_at, switchyard.clock()) WHERE id = p_id RETURNING * INTO v_key;
  IF NOT FOUND THEN RETURN NULL; END IF;
  PERFORM switchyard.keep_audit('revokeApiKey', 'key:' || p_id, p_actor, '{}', switchyard.clock());
  PERFORM pg_notify('switchyard_api_key', '');
  RETURN switchyard.api_key_json(v_key);
END $$;
--> statement-breakpoint
-- Makes the next key of a line, and ends the one before after an overlap. Null when that one is not there, or works no more.
CREATE FUNCTION switchyard.rotate_key(p jsonb, p_before text, p_overlap_ms double precision, p_actor jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz;
  v_before switchyard.api_key;
  v_next switchyard.api_key;
BEGIN
  SELECT * INTO v_before FROM switchyard.api_key WHERE id = p_before FOR UPDATE;
  v_now := switchyard.clock();
  IF NOT FOUND OR least(v_before.revoked_at, v_before.expires_at) <= v_now THEN RETURN NULL; END IF;
  v_next := switchyard.insert_key(p, v_now);
  UPDATE switchyard.api_key SET revoked_at = least(revoked_at, v_now + switchyard.span(p_overlap_ms)) WHERE id = p_before
    RETURNING * INTO v_before;
  PERFORM switchyard.keep_audit('rotateApiKey', 'key:' || p_before, p_actor,
    jsonb_build_object('next', v_next.id, 'overlapMs', p_overlap_ms), v_now);
  PERFORM pg_notify('switchyard_api_key', '');
  RETURN jsonb_build_object('key', switchyard.api_key_json(v_next), 'replaced', switchyard.api_key_json(v_before));
END $$;
--> statement-breakpoint
-- To the minute. A key that another replica notes at this moment is left to it.
CREATE FUNCTION switchyard.touch_keys(p_ids text[]) RETURNS void LANGUAGE sql AS $$
  UPDATE switchyard.api_key SET last_used_at = date_trunc('minute', switchyard.clock()) WHERE id IN (
    SELECT id FROM switchyard.api_key WHERE id = ANY(p_ids)
      AND (last_used_at IS NULL OR last_used_at < date_trunc('minute', switchyard.clock())) ORDER BY id FOR UPDATE SKIP LOCKED)
$$;
--> statement-breakpoint
-- The keys that ended in the last so many milliseconds.
CREATE FUNCTION switchyard.ended_keys(p_within_ms double precision) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz := switchyard.clock();
BEGIN
  RETURN (SELECT coalesce(jsonb_agg(id ORDER BY sequence), '[]') FROM switchyard.api_key
    WHERE least(revoked_at, expires_at) > v_now - switchyard.span(p_within_ms) AND least(revoked_at, expires_at) <= v_now);
END $$;
--> statement-breakpoint
CREATE FUNCTION switchyard.find_keys(p_hashes text[]) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
  RETURN jsonb_build_object('nowMs', switchyard.ms(switchyard.clock()), 'found', (
    SELECT coalesce(jsonb_agg(jsonb_build_object('hash', k.hash, 'key', switchyard.api_key_json(k))), '[]')
      FROM switchyard.api_key k WHERE k.hash = ANY(p_hashes)));
END $$;
--> statement-breakpoint
CREATE FUNCTION switchyard.audit_json(a switchyard.audit) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_object('sequence', a.id, 'atMs', switchyard.ms(a.at), 'actor', a.actor, 'act', a.act, 'target', a.target,
    'reason', a.reason, 'detail', a.detail)
$$;
