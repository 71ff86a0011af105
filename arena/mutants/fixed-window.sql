-- Breaks: all slots of a rate limit are free again when the next minute begins, whenever they were taken.
-- Caught by: 13
create or replace function switchyard.slot_taken_until(p_now timestamptz) returns timestamptz language sql immutable as $$
  select date_bin('1 minute', p_now, timestamptz 'epoch') + interval '1 minute'
$$;
