-- Breaks: a hold that nobody settled in time is given back, as if nothing had been billed.
-- Caught by: 3, 4
alter function switchyard.reap(integer) rename to reap_unbroken;
create function switchyard.reap(p_count integer) returns jsonb language plpgsql as $$
declare
  v_ended jsonb := switchyard.reap_unbroken(p_count);
begin
  with refunded as (
    update switchyard.hold set state = 'voided' where state = 'expired' returning id, account, amount
  ), entries as (
    update switchyard.ledger_entry e set amount = 0, kind = 'settled', evidence = 'nothing'
      from refunded where e.hold_id = refunded.id
  )
  update switchyard.account set posted = posted - back.amount
    from (select account, sum(amount)::bigint as amount from refunded group by account) back where key = back.account;
  return v_ended;
end $$;
