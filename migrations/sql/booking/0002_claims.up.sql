-- Claims that expire: holds and unconfirmed bookings. The clinic's policy with each booking, what moving and cancelling
-- late has cost, and a history from which a booking can be rebuilt.

-- Expiry belongs to each claim, since several share a session.
drop function claim_session;
drop function release_session;
alter table sessions drop column expires_at;

alter table bookings
    -- The clinic's rules when it was booked.
    add column policy jsonb not null default '{}',
    -- What the customer owes for moving or cancelling it late, in the price's currency.
    add column fee_amount bigint not null default 0,
    -- The vendor's schedule has changed since it was made, or while it was: it is to be looked at.
    add column schedule_changed boolean not null default false;
-- What waited for good until now is given a day, as the default policy does.
update bookings set expires_at = least(now() + interval '1 day', starts_at) where status = 'pending';
update bookings set expires_at = null where status <> 'pending';
alter table bookings
    alter column policy drop default,
    alter column fee_amount drop default,
    add constraint bookings_fee_amount_check check (fee_amount >= 0),
    -- What waits for the clinic does so until some time. What was cancelled because that time came keeps it.
    add constraint bookings_expires_at_check check
        (case status when 'pending' then expires_at is not null when 'cancelled' then true else expires_at is null end);
create index bookings_expires_at_idx on bookings (expires_at, id) where status = 'pending';
create index bookings_clinic_made_idx on bookings (clinic_id, created_at, id);

-- Time that is kept for a user for some minutes. A hold that becomes a booking leaves its session to it.
create table holds (
    id uuid not null,
    user_id uuid not null,
    vendor_id uuid not null,
    clinic_id uuid not null,
    service_id uuid not null,
    staff_id uuid not null,
    session_id uuid not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    time_zone text not null,
    expires_at timestamptz not null,
    created_at timestamptz not null,
    constraint holds_pkey primary key (id),
    constraint holds_session_id_fkey foreign key (session_id) references sessions (id) on delete cascade,
    constraint holds_period_check check (starts_at < ends_at)
);
create index holds_user_idx on holds (user_id, expires_at);
create index holds_session_id_idx on holds (session_id, expires_at);
create index holds_expires_at_idx on holds (expires_at, id);

-- When a change of a vendor's hours, staff, services, clinics or standing was last heard.
create table schedule_changes (
    vendor_id uuid not null,
    changed_at timestamptz not null,
    constraint schedule_changes_pkey primary key (vendor_id)
);

-- Locks are taken in one order, so that nobody waits in a circle: a user's holds, the vendor's schedule, the rows of
-- bookings and holds, staff members in the order of their ids, sessions. Who holds staff locks never waits for the row
-- of a booking or hold; who holds a session without its staff lock waits for nothing.

-- Held by whoever stores a change of a vendor's schedule.
create function lock_schedule(vendor uuid) returns void language plpgsql volatile as $$
begin
    perform pg_advisory_xact_lock(hashtextextended(concat_ws(chr(31), current_schema(), 'schedule', vendor), 0));
end
$$;

-- Held by whoever claims time on what the vendor said of its schedule.
create function share_schedule(vendor uuid) returns void language plpgsql volatile as $$
begin
    perform pg_advisory_xact_lock_shared(hashtextextended(concat_ws(chr(31), current_schema(), 'schedule', vendor), 0));
end
$$;

-- Whether the schedule may have changed since a request that is still alive asked for it: none lives longer than a
-- minute. To be asked with the lock, in a statement of its own: what was committed before the lock was given is then
-- seen here, and what comes later finds the booking.
create function schedule_has_changed(vendor uuid) returns boolean language plpgsql volatile as $$
begin
    return exists (
        select from schedule_changes where vendor_id = vendor and changed_at > now() - interval '65 seconds'
    );
end
$$;

-- Gives places of a session back; the last one takes the session with it.
create function release_session(released uuid, places integer default 1) returns void language plpgsql volatile as $$
begin
    -- Whoever gives back at the same time is waited for: the statements after this one see how many are left.
    perform from sessions where id = released for update;
    delete from sessions where id = released and taken = places;
    if not found then
        update sessions set taken = taken - places where id = released;
    end if;
end
$$;

-- Whether there is an expired claim on a session. A function, so that it is asked of one session at a time, however many
-- claims have expired elsewhere.
create function has_expired_claim(session uuid) returns boolean language plpgsql volatile as $$
begin
    return exists (select from bookings where session_id = session and status = 'pending' and expires_at <= now())
        or exists (select from holds where session_id = session and expires_at <= now());
end
$$;

-- Takes away the expired claims on a period of a staff member, whose lock is held, and tells whether there were any.
-- A booking or hold on which somebody works is passed over: waiting for it could end in a circle.
create function release_expired_claims(member uuid, released_from timestamptz, released_to timestamptz)
returns boolean language plpgsql volatile as $$
declare
    touched uuid;
    expired_bookings integer;
    expired_holds integer;
    any_released boolean := false;
begin
    for touched in
        select id from sessions
        where staff_id = member and tstzrange(blocked_from, blocked_to) && tstzrange(released_from, released_to)
    loop
        with expired as (
            select id from bookings
            where session_id = touched and status = 'pending' and expires_at <= now()
            for update skip locked
        )
        update bookings set session_id = null from expired where bookings.id = expired.id;
        get diagnostics expired_bookings = row_count;
        with expired as (
            select id from holds where session_id = touched and expires_at <= now() for update skip locked
        )
        delete from holds using expired where holds.id = expired.id;
        get diagnostics expired_holds = row_count;
        if expired_bookings + expired_holds > 0 then
            perform release_session(touched, expired_bookings + expired_holds);
            any_released := true;
        end if;
    end loop;
    return any_released;
end
$$;

-- Claims a period for the first of the candidates who is free: joins their session of the same service and period
-- where there is room, or makes one. Answers no row when nobody is free, and otherwise also whether the vendor's
-- schedule may have changed since it was asked for. The candidates come in the order of their ids, unless all of them
-- are locked already.
-- Volatile: each statement sees what was committed while the one before it waited for the lock.
-- One row, as all that claim answer: where Postgres expects its usual thousand, it plans the statement around it anew each
-- time it runs, instead of once a connection.
create function claim_session(
    new_id uuid, candidates uuid[], wanted_vendor uuid, wanted_service uuid, wanted_start timestamptz,
    wanted_end timestamptz, wanted_from timestamptz, wanted_to timestamptz, places integer
) returns table (session_id uuid, staff_id uuid, schedule_changed boolean) language plpgsql volatile rows 1 as $$
#variable_conflict use_column
declare
    candidate uuid;
    claimed uuid;
begin
    perform share_schedule(wanted_vendor);
    foreach candidate in array candidates loop
        -- Who is visibly busy is passed over without waiting for their lock.
        continue when exists (
            select from sessions as held
            where held.staff_id = candidate
                and tstzrange(held.blocked_from, held.blocked_to) && tstzrange(wanted_from, wanted_to)
                and not (held.service_id = wanted_service and held.starts_at = wanted_start
                    and held.ends_at = wanted_end and held.taken < held.capacity)
                and not has_expired_claim(held.id)
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
                return query select claimed, candidate, schedule_has_changed(wanted_vendor);
                return;
            end if;
            exit when attempt = 2 or not release_expired_claims(candidate, wanted_from, wanted_to);
        end loop;
    end loop;
end
$$;

-- Claims a period in place of another. All staff involved are locked first and in one order; otherwise two bookings
-- that move into each other's time would wait in a circle. Answers no row when nobody is free: the transaction must
-- then not be committed.
create function move_session(
    old_id uuid, old_staff uuid, new_id uuid, candidates uuid[], wanted_vendor uuid, wanted_service uuid,
    wanted_start timestamptz, wanted_end timestamptz, wanted_from timestamptz, wanted_to timestamptz, places integer
) returns table (session_id uuid, staff_id uuid, schedule_changed boolean) language plpgsql volatile rows 1 as $$
begin
    perform lock_staff(candidates || old_staff);
    if old_id is not null then
        perform release_session(old_id);
    end if;
    return query select * from claim_session(new_id, candidates, wanted_vendor, wanted_service, wanted_start,
        wanted_end, wanted_from, wanted_to, places);
end
$$;

-- Claims a period for a hold, unless its user has as many as one may have. Answers no row when nobody is free.
create function hold_session(
    holder uuid, at_most integer, new_id uuid, candidates uuid[], wanted_vendor uuid, wanted_service uuid,
    wanted_start timestamptz, wanted_end timestamptz, wanted_from timestamptz, wanted_to timestamptz, places integer
) returns table (session_id uuid, staff_id uuid, too_many boolean) language plpgsql volatile rows 1 as $$
begin
    perform pg_advisory_xact_lock(hashtextextended(concat_ws(chr(31), current_schema(), 'holder', holder), 0));
    if (select count(*) from holds where user_id = holder and expires_at > now()) >= at_most then
        return query select null::uuid, null::uuid, true;
        return;
    end if;
    return query select claimed.session_id, claimed.staff_id, false
        from claim_session(new_id, candidates, wanted_vendor, wanted_service, wanted_start, wanted_end, wanted_from,
            wanted_to, places) as claimed;
end
$$;

-- Passes the claim of a hold on: the hold goes, its session stays. Where it answers a refusal, the transaction must not
-- be committed.
create function take_hold(
    hold uuid, holder uuid, candidates uuid[], wanted_vendor uuid, wanted_service uuid, wanted_start timestamptz,
    wanted_staff uuid
) returns table (session_id uuid, staff_id uuid, ends_at timestamptz, schedule_changed boolean, refusal text)
language plpgsql volatile rows 1 as $$
#variable_conflict use_column
declare
    held holds;
    refused text;
begin
    perform share_schedule(wanted_vendor);
    delete from holds where id = hold and user_id = holder and expires_at > now() returning * into held;
    refused := case
        when held.id is null then 'not_found'
        when held.service_id <> wanted_service or held.starts_at <> wanted_start
            or held.staff_id <> wanted_staff then 'mismatch'
        when held.staff_id <> all (candidates) then 'unavailable'
    end;
    return query select held.session_id, held.staff_id, held.ends_at, schedule_has_changed(wanted_vendor), refused;
end
$$;

-- Gives held time back. False where the hold is somebody else's.
create function release_hold(hold uuid, holder uuid) returns boolean language plpgsql volatile as $$
declare
    released uuid;
begin
    delete from holds where id = hold and user_id = holder returning session_id into released;
    if released is not null then
        perform release_session(released);
        return true;
    end if;
    return not exists (select from holds where id = hold);
end
$$;

-- Drops holds that have expired, at most so many, and tells how many there were. Several may do this at once.
create function release_expired_holds(at_most integer) returns integer language plpgsql volatile as $$
declare
    expired uuid[];
    staff uuid[];
    released uuid;
begin
    select array_agg(hold.id), array_agg(hold.staff_id) into expired, staff
    from (
        select id, staff_id from holds where expires_at <= now()
        order by expires_at, id limit at_most for update skip locked
    ) as hold;
    if expired is null then
        return 0;
    end if;
    perform lock_staff(staff);
    for released in delete from holds where id = any (expired) returning session_id loop
        perform release_session(released);
    end loop;
    return cardinality(expired);
end
$$;

-- The fields of a booking's row that its history keeps: not the claim, nor what is only a note to ourselves.
create function kept_fields(booking jsonb) returns jsonb language sql immutable as $$
    select booking - '{session_id,schedule_changed}'::text[]
$$;

-- Those of them that differ from the row as it was before.
create function changed_fields(before jsonb, after jsonb) returns jsonb language sql immutable as $$
    select coalesce(jsonb_object_agg(field.key, field.value), '{}')
    from jsonb_each(kept_fields(after)) as field
    where field.value is distinct from before -> field.key
$$;

alter table booking_changes
    add column fee_amount bigint not null default 0,
    -- The kept fields of the booking that changed, all of them in the first entry. Laid one over the other they are the
    -- booking.
    add column delta jsonb;
alter table booking_changes drop constraint booking_changes_kind_check;
alter table booking_changes add constraint booking_changes_kind_check check (kind in
    ('created', 'rescheduled', 'notes_changed', 'confirmed', 'completed', 'no_show', 'cancelled', 'expired', 'checked',
     'needs_attention'));
-- Entries from before have the whole row as far as it is known: the last one exactly.
alter table booking_changes disable trigger booking_changes_only_grow;
update booking_changes as change
set delta = kept_fields(to_jsonb(booking)) || case when change.version = booking.version then '{}' else
    jsonb_build_object(
        'version', change.version, 'updated_at', change.changed_at, 'status', change.status,
        'staff_id', change.staff_id, 'starts_at', change.starts_at, 'ends_at', change.ends_at, 'notes', change.notes,
        'attention', change.attention, 'cancel_reason', change.reason, 'expires_at', null
    ) end
from bookings as booking where booking.id = change.booking_id;
alter table booking_changes enable trigger booking_changes_only_grow;
alter table booking_changes
    alter column fee_amount drop default,
    alter column delta set not null;
