-- Held time is given up; who waited for the clinic until some time does so for good again.
do $$ begin perform release_session(session_id) from holds; end $$;

alter table booking_changes disable trigger booking_changes_only_grow;
update booking_changes set kind = 'cancelled' where kind = 'expired';
alter table booking_changes enable trigger booking_changes_only_grow;
alter table booking_changes drop column delta, drop column fee_amount;
alter table booking_changes drop constraint booking_changes_kind_check;
alter table booking_changes add constraint booking_changes_kind_check check (kind in
    ('created', 'rescheduled', 'notes_changed', 'confirmed', 'completed', 'no_show', 'cancelled', 'checked',
     'needs_attention'));

drop function changed_fields, kept_fields, release_expired_holds, release_hold, take_hold, hold_session, move_session,
    claim_session, release_expired_claims, has_expired_claim, release_session, schedule_has_changed, share_schedule,
    lock_schedule;
drop table schedule_changes;
drop table holds;

drop index bookings_clinic_made_idx;
drop index bookings_expires_at_idx;
alter table bookings
    drop constraint bookings_expires_at_check,
    drop constraint bookings_fee_amount_check,
    drop column schedule_changed,
    drop column fee_amount,
    drop column policy;
update bookings set expires_at = null;
alter table sessions add column expires_at timestamptz;

-- Claims a period for the first of the candidates who is free: joins their session of the same service and period
-- where there is room, or makes one. Answers no row when nobody is free. The candidates come in the order of their
-- ids, unless all of them are locked already.
-- Volatile: each statement sees what was committed while the one before it waited for the lock.
create function claim_session(
    new_id uuid, candidates uuid[], wanted_service uuid, wanted_start timestamptz, wanted_end timestamptz,
    wanted_from timestamptz, wanted_to timestamptz, places integer
) returns table (session_id uuid, staff_id uuid) language plpgsql volatile as $$
#variable_conflict use_column
declare
    candidate uuid;
    claimed uuid;
begin
    foreach candidate in array candidates loop
        -- Who is visibly busy is passed over without waiting for their lock.
        continue when exists (
            select from sessions as held
            where held.staff_id = candidate
                and tstzrange(held.blocked_from, held.blocked_to) && tstzrange(wanted_from, wanted_to)
                and (held.expires_at is null or held.expires_at > now())
                and not (held.service_id = wanted_service and held.starts_at = wanted_start
                    and held.ends_at = wanted_end and held.taken < held.capacity)
        );
        perform lock_staff(array[candidate]);
        -- The first time round as things stand, the second after expired claims were taken away.
        for attempt in 1..2 loop
            if places > 1 then
                update sessions as held set taken = held.taken + 1
                where held.staff_id = candidate
                    and tstzrange(held.blocked_from, held.blocked_to) && tstzrange(wanted_from, wanted_to)
                    and held.service_id = wanted_service and held.starts_at = wanted_start
                    and held.ends_at = wanted_end and held.taken < held.capacity
                    and (held.expires_at is null or held.expires_at > now())
                returning held.id into claimed;
            end if;
            if claimed is null then
                insert into sessions as made
                    (id, staff_id, service_id, starts_at, ends_at, blocked_from, blocked_to, capacity, taken)
                values (new_id, candidate, wanted_service, wanted_start, wanted_end, wanted_from, wanted_to, places, 1)
                on conflict on constraint sessions_no_overlap do nothing
                returning made.id into claimed;
            end if;
            if claimed is not null then
                return query select claimed, candidate;
                return;
            end if;
            delete from sessions as held
            where held.staff_id = candidate
                and tstzrange(held.blocked_from, held.blocked_to) && tstzrange(wanted_from, wanted_to)
                and held.expires_at <= now();
            exit when not found;
        end loop;
    end loop;
end
$$;

-- Gives one place of a session back; the last one takes the session with it.
create function release_session(released uuid) returns void language plpgsql volatile as $$
begin
    delete from sessions where id = released and taken = 1;
    if not found then
        update sessions set taken = taken - 1 where id = released;
    end if;
end
$$;
