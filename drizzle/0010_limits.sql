CREATE TABLE "switchyard"."caller_bucket" (
	"line" text NOT NULL,
	"place" bigint NOT NULL,
	"requests" integer NOT NULL,
	"tokens" bigint NOT NULL,
	CONSTRAINT "caller_bucket_line_place_pk" PRIMARY KEY("line","place")
);
--> statement-breakpoint
CREATE TABLE "switchyard"."caller_place" (
	"line" text NOT NULL,
	"request_id" uuid NOT NULL,
	"bucket" bigint NOT NULL,
	"tokens" bigint NOT NULL,
	"lease_ends_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "caller_place_line_request_id_pk" PRIMARY KEY("line","request_id")
);

--> statement-breakpoint

-- What callers may use: requests and tokens in a rolling minute, and requests at once, for a line of API keys. src/core/caller-limits.ts
-- says the same. Whoever changes something has the line's lock, of which no other act knows: no lock is asked for after it.
ALTER TABLE switchyard.caller_bucket SET (fillfactor = 50);
--> statement-breakpoint
-- The tenth of a second that an instant falls into. What is in it counts until 601 of them have begun after it: for more than 60 s, for
-- at most 60.1 s.
CREATE FUNCTION switchyard.bucket_at(p_now timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT floor(extract(epoch FROM p_now) * 10)::bigint
$$;
--> statement-breakpoint
CREATE FUNCTION switchyard.bucket_lapse(p_place bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT (p_place + 601) * 100
$$;
--> statement-breakpoint
-- Whether a request may begin, and how the limits stand. A bucket is in the way when it and all later ones hold more than may be used
-- already; when the last such one has lapsed there is room.
CREATE FUNCTION switchyard.answer_caller(p jsonb, p_now timestamptz) RETURNS jsonb LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  v_line text := p->>'line';
  v_now bigint := switchyard.ms(p_now);
  v_place bigint := switchyard.bucket_at(p_now);
  v_requests_limit bigint := p->'limits'->>'requestsPerMinute';
  v_tokens_limit bigint := p->'limits'->>'tokensPerMinute';
  v_concurrency bigint := p->'limits'->>'concurrency';
  v_tokens bigint := p->>'tokens';
  v_requests_ms bigint := 0;
  v_tokens_ms bigint := 0;
  v_open bigint;
  w record;
BEGIN
  SELECT coalesce(sum(requests), 0)::bigint AS requests, coalesce(sum(tokens), 0)::bigint AS tokens,
      max(place) FILTER (WHERE requests > 0) AS requests_last, max(place) FILTER (WHERE tokens > 0) AS tokens_last,
      max(place) FILTER (WHERE requests_from > greatest(v_requests_limit - 1, 0)) AS requests_full,
      max(place) FILTER (WHERE tokens_from > greatest(v_tokens_limit - 1, 0)) AS tokens_full,
      max(place) FILTER (WHERE tokens_from > greatest(v_tokens_limit - v_tokens, 0)) AS tokens_in_way
    INTO w FROM (SELECT place, requests, tokens, sum(requests) OVER back AS requests_from, sum(tokens) OVER back AS tokens_from
      FROM switchyard.caller_bucket WHERE line = v_line AND place > v_place - 601 WINDOW back AS (ORDER BY place DESC)) b;
  IF w.requests + 1 > v_requests_limit THEN
    v_requests_ms := switchyard.bucket_lapse(coalesce(w.requests_full, v_place)) - v_now;
  END IF;
  IF w.tokens + v_tokens > v_tokens_limit THEN
    v_tokens_ms := switchyard.bucket_lapse(coalesce(w.tokens_in_way, v_place)) - v_now;
  END IF;
  IF v_concurrency IS NOT NULL THEN
    SELECT count(*) INTO v_open FROM switchyard.caller_place WHERE line = v_line AND lease_ends_at > p_now;
  END IF;
  RETURN jsonb_build_object(
    'nowMs', v_now,
    'which', CASE WHEN v_tokens_ms > v_requests_ms THEN 'tokens' WHEN v_requests_ms > 0 THEN 'requests'
      WHEN v_open >= v_concurrency THEN 'concurrency' END,
    'waitMs', greatest(v_tokens_ms, v_requests_ms),
    'requests', jsonb_build_object('used', w.requests, 'freeAtMs', switchyard.bucket_lapse(w.requests_full),
      'resetAtMs', switchyard.bucket_lapse(w.requests_last)),
    'tokens', jsonb_build_object('used', w.tokens, 'freeAtMs', switchyard.bucket_lapse(w.tokens_full),
      'resetAtMs', switchyard.bucket_lapse(w.tokens_last)),
    'open', coalesce(v_open, 0));
END $$;
--> statement-breakpoint
-- Makes whoever changes the use of a line the only one who does. What is kept of limits is no money: a crash of the server may forget what the last
-- moment added, so nobody waits for its disk.
CREATE FUNCTION switchyard.lock_caller(p_line text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  PERFORM pg_advisory_xact_lock(hashtext('switchyard.caller'), hashtext(p_line));
END $$;
--> statement-breakpoint
CREATE FUNCTION switchyard.use_bucket(p_line text, p_now timestamptz, p_requests integer, p_tokens bigint) RETURNS void LANGUAGE sql AS $$
  INSERT INTO switchyard.caller_bucket AS b (line, place, requests, tokens)
    VALUES (p_line, switchyard.bucket_at(p_now), p_requests, p_tokens)
    ON CONFLICT (line, place) DO UPDATE SET requests = b.requests + p_requests, tokens = b.tokens + p_tokens
$$;
--> statement-breakpoint
-- Begins a request, or says which limit stands in the way. Only limits that its end has something to say to need a place.
CREATE FUNCTION switchyard.enter_caller(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  v_line text := p->>'line';
  v_has_place boolean := p->'limits'->>'tokensPerMinute' IS NOT NULL OR p->'limits'->>'concurrency' IS NOT NULL;
  v_tokens bigint := CASE WHEN v_has_place THEN (p->>'tokens')::bigint ELSE 0 END;
  v_now timestamptz;
  v_answer jsonb;
BEGIN
  -- Who is refused anyway waits for nobody, and nobody for it.
  v_answer := switchyard.answer_caller(p, switchyard.clock());
  IF v_answer->>'which' IS NOT NULL THEN RETURN v_answer; END IF;
  PERFORM switchyard.lock_caller(v_line);
  -- Only now: who waited for the lock must not be counted in a moment that has passed.
  v_now := switchyard.clock();
  v_answer := switchyard.answer_caller(p, v_now);
  IF v_answer->>'which' IS NOT NULL THEN RETURN v_answer; END IF;
  DELETE FROM switchyard.caller_bucket WHERE line = v_line AND place <= switchyard.bucket_at(v_now) - 601;
  DELETE FROM switchyard.caller_place WHERE line = v_line AND lease_ends_at <= v_now;
  PERFORM switchyard.use_bucket(v_line, v_now, 1, v_tokens);
  IF v_has_place THEN
    INSERT INTO switchyard.caller_place AS c (line, request_id, bucket, tokens, lease_ends_at)
      VALUES (v_line, (p->>'requestId')::uuid, switchyard.bucket_at(v_now), v_tokens,
        v_now + switchyard.span((p->>'leaseMs')::double precision))
      ON CONFLICT (line, request_id) DO UPDATE SET bucket = excluded.bucket, tokens = excluded.tokens,
        lease_ends_at = excluded.lease_ends_at;
  END IF;
  RETURN switchyard.answer_caller(p || '{"tokens": 0}', v_now) || '{"which": null}';
END $$;
--> statement-breakpoint
-- Ends a request: what was estimated too high goes back to the bucket it was taken from, what was used beyond that counts from now on.
CREATE FUNCTION switchyard.leave_caller(p_line text, p_request uuid, p_tokens bigint) RETURNS void LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  v_place switchyard.caller_place;
BEGIN
  PERFORM switchyard.lock_caller(p_line);
  DELETE FROM switchyard.caller_place WHERE line = p_line AND request_id = p_request RETURNING * INTO v_place;
  IF v_place.line IS NULL THEN RETURN; END IF;
  IF p_tokens > v_place.tokens THEN
    PERFORM switchyard.use_bucket(p_line, switchyard.clock(), 0, p_tokens - v_place.tokens);
  ELSE
    UPDATE switchyard.caller_bucket SET tokens = greatest(tokens - (v_place.tokens - p_tokens), 0)
      WHERE line = p_line AND place = v_place.bucket;
  END IF;
END $$;
--> statement-breakpoint
-- Deletes what counts no more of lines that never came again, at most so many rows. Waits for nobody, so it needs no line's lock.
CREATE FUNCTION switchyard.forget_callers(p_count integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz := switchyard.clock();
  v_buckets integer;
  v_places integer;
BEGIN
  DELETE FROM switchyard.caller_bucket WHERE (line, place) IN (
    SELECT line, place FROM switchyard.caller_bucket WHERE place <= switchyard.bucket_at(v_now) - 601
    LIMIT p_count FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS v_buckets = ROW_COUNT;
  DELETE FROM switchyard.caller_place WHERE (line, request_id) IN (
    SELECT line, request_id FROM switchyard.caller_place WHERE lease_ends_at <= v_now
    LIMIT p_count - v_buckets FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS v_places = ROW_COUNT;
  RETURN v_buckets + v_places;
END $$;
