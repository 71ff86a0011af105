-- Breaks: a budget is read without a lock, so that two replicas can both find room for the last hold.
-- Caught by: 1
create or replace function switchyard.lock_accounts(p_keys text[]) returns void language sql as $$
  insert into switchyard.account (key, period_started_at)
    select distinct wanted, switchyard.clock() from unnest(p_keys) wanted on conflict do nothing
$$;
