drop function forget_customer;
create or replace function refuse_to_rewrite_history() returns trigger language plpgsql as $$
begin
    raise exception 'booking_changes only grows' using errcode = 'restrict_violation';
end
$$;
drop function forget_texts;
drop function forget_text;
drop table person_keys;
