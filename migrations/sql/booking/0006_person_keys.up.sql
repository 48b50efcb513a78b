-- Keys of persons: what people wrote is kept sealed under the key of the customer, or of the booking itself where it is
-- a walk-in's, so that destroying the key destroys the text in rows, histories and backups. To be backed up apart from
-- all else, and for days only.
create table person_keys (
    -- The user, or the booking of a walk-in.
    subject uuid not null,
    -- The key under the service's data key; null once it is destroyed, so that it is never made again.
    wrapped bytea,
    created_at timestamptz not null default clock_timestamp(),
    destroyed_at timestamptz,
    constraint person_keys_pkey primary key (subject),
    constraint person_keys_wrapped_check check (octet_length(wrapped) = 73),
    constraint person_keys_destroyed_check check ((wrapped is null) = (destroyed_at is not null))
);

-- The text without what it says, where it was stored before texts were sealed: what stays of it opens with no key. The
-- platform's own sentence stays.
create function forget_text(original text, own_sentence text) returns text language sql immutable as $$
    select case when original like 'sealed:1:%' or original = own_sentence then original
        when original is not null then 'sealed:1:' end
$$;

-- Likewise of all texts among the fields of a booking.
create function forget_texts(fields jsonb, own_sentence text) returns jsonb language sql immutable as $$
    select fields || coalesce(
        (select jsonb_object_agg(field.key, forget_text(field.value, own_sentence))
            from jsonb_each_text(fields) as field
            where field.key in ('notes', 'cancel_reason', 'pet_name', 'pet_breed', 'walk_in_name', 'walk_in_phone')),
        '{}')
$$;

-- History only grows, but for the texts in it, which may be forgotten: never changed, and nothing else.
create or replace function refuse_to_rewrite_history() returns trigger language plpgsql as $$
declare
    own_sentence text := current_setting('petpro.own_sentence', true);
begin
    if tg_op = 'UPDATE' then
        old.notes := forget_text(old.notes, own_sentence);
        old.reason := forget_text(old.reason, own_sentence);
        old.delta := forget_texts(old.delta, own_sentence);
        if new is not distinct from old then
            return new;
        end if;
    end if;
    raise exception 'booking_changes only grows' using errcode = 'restrict_violation';
end
$$;

-- Forgets the texts from before texts were sealed, in all of a customer's bookings and their histories.
create function forget_customer(customer uuid, own_sentence text) returns void language plpgsql volatile as $$
begin
    perform set_config('petpro.own_sentence', own_sentence, true);
    update booking_changes as change
    set notes = forget_text(change.notes, own_sentence), reason = forget_text(change.reason, own_sentence),
        delta = forget_texts(change.delta, own_sentence)
    from bookings as booking
    where booking.customer_id = customer and change.booking_id = booking.id
        and (change.notes is distinct from forget_text(change.notes, own_sentence)
            or change.reason is distinct from forget_text(change.reason, own_sentence)
            or change.delta <> forget_texts(change.delta, own_sentence));
    update bookings as booking
    set notes = forget_text(notes, own_sentence), cancel_reason = forget_text(cancel_reason, own_sentence),
        pet_name = forget_text(pet_name, own_sentence), pet_breed = forget_text(pet_breed, own_sentence)
    where booking.customer_id = customer
        and to_jsonb(booking) <> forget_texts(to_jsonb(booking), own_sentence);
end
$$;
