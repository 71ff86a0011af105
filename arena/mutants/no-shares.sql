-- Breaks: one tenant may have all slots of a provider, whoever waits for them.
-- Caught by: 22
create or replace function switchyard.held_back_until(w switchyard.waiting, p_tenant text, p_taken bigint, p_now timestamptz) returns bigint
language sql stable as $$
  select null::bigint
$$;
