-- Bookings, the time they claim, their history, and what booking knows of the vendors.

-- Claimed time. Each row is one period of one staff member, buffers included; bookings join it until it is full.
-- That no two claims of a staff member overlap, and that none takes more than it holds, is decided here and nowhere else.
create table sessions (
    id uuid not null,
    staff_id uuid not null,
    service_id uuid not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    -- The period with its buffers. Stored, because adding an interval to a timestamptz is not immutable.
    blocked_from timestamptz not null,
    blocked_to timestamptz not null,
    capacity integer not null,
    taken integer not null,
    -- Until when the claim holds; null: for good. Nothing sets it yet: expiry comes with holds. What has lost its claim
    -- is not confirmed.
    expires_at timestamptz,
    constraint sessions_pkey primary key (id),
    constraint sessions_period_check check (blocked_from <= starts_at and starts_at < ends_at and ends_at <= blocked_to),
    constraint sessions_capacity_check check (capacity > 0),
    constraint sessions_taken_check check (taken > 0 and taken <= capacity),
    constraint sessions_no_overlap exclude using gist (staff_id with =, tstzrange(blocked_from, blocked_to) with &&)
);

create table bookings (
    id uuid not null,
    reference text not null,
    version bigint not null,
    status text not null,
    customer_id uuid,
    walk_in_name text,
    walk_in_phone text,
    vendor_id uuid not null,
    clinic_id uuid not null,
    service_id uuid not null,
    service_name text not null,
    staff_id uuid not null,
    -- The claim; null once the time is free again.
    session_id uuid,
    pet_id uuid,
    pet_name text,
    pet_species text,
    pet_breed text,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    time_zone text not null,
    price_amount bigint not null,
    price_currency text not null,
    notes text,
    cancel_reason text,
    -- True until the time has been checked with the vendor service.
    needs_check boolean not null default false,
    attention text,
    -- The version of the clinic's schedule that the booking was made on.
    schedule_version bigint not null,
    -- Until when an unconfirmed booking waits; null: for good, as all do until there are holds.
    expires_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint bookings_pkey primary key (id),
    constraint bookings_reference_key unique (reference),
    constraint bookings_session_id_fkey foreign key (session_id) references sessions (id) on delete set null,
    constraint bookings_reference_check check (reference ~ '^[0-9A-HJKMNP-TV-Z]{8}$'),
    constraint bookings_version_check check (version > 0),
    constraint bookings_status_check check (status in ('pending', 'confirmed', 'completed', 'no_show', 'cancelled')),
    constraint bookings_person_check check ((customer_id is null) <> (walk_in_name is null)),
    constraint bookings_walk_in_check check (walk_in_phone is null or walk_in_name is not null),
    constraint bookings_pet_check check ((pet_id is null) <> (pet_name is null)),
    constraint bookings_pet_details_check check
        ((pet_name is null) = (pet_species is null) and (pet_breed is null or pet_name is not null)),
    constraint bookings_period_check check (starts_at < ends_at),
    constraint bookings_price_amount_check check (price_amount >= 0),
    constraint bookings_attention_check check
        (attention in ('outside_hours', 'service_removed', 'staff_removed', 'vendor_inactive')),
    -- Only what still waits for the clinic can wait for a check.
    constraint bookings_needs_check_check check (not needs_check or status = 'pending')
);
create index bookings_customer_idx on bookings (customer_id, starts_at, id) where customer_id is not null;
create index bookings_clinic_idx on bookings (clinic_id, starts_at, id);
create index bookings_session_id_idx on bookings (session_id) where session_id is not null;
create index bookings_needs_check_idx on bookings (id) where needs_check;

-- What happened to each booking. It only grows.
create table booking_changes (
    booking_id uuid not null,
    version bigint not null,
    kind text not null,
    changed_at timestamptz not null,
    actor text not null,
    actor_id uuid,
    status text not null,
    staff_id uuid not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    notes text,
    reason text,
    attention text,
    constraint booking_changes_pkey primary key (booking_id, version),
    constraint booking_changes_booking_id_fkey foreign key (booking_id) references bookings (id),
    constraint booking_changes_kind_check check (kind in
        ('created', 'rescheduled', 'notes_changed', 'confirmed', 'completed', 'no_show', 'cancelled', 'checked',
         'needs_attention')),
    constraint booking_changes_actor_check check (actor in ('customer', 'staff', 'platform_admin', 'system')),
    constraint booking_changes_actor_id_check check ((actor = 'system') = (actor_id is null))
);

create function refuse_to_rewrite_history() returns trigger language plpgsql as $$
begin
    raise exception 'booking_changes only grows' using errcode = 'restrict_violation';
end
$$;
create trigger booking_changes_only_grow before update or delete on booking_changes
    for each row execute function refuse_to_rewrite_history();

-- The lock under which time of a staff member is claimed. Without it, concurrent inserts into the exclusion
-- constraint wait for each other and deadlock. Taken for several in the order of their ids, for the same reason.
create function lock_staff(members uuid[]) returns void language plpgsql volatile as $$
declare
    member uuid;
begin
    for member in select distinct unnest(members) order by 1 loop
        perform pg_advisory_xact_lock(hashtextextended(concat_ws(chr(31), current_schema(), 'staff', member), 0));
    end loop;
end
$$;

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

-- Read models: what vendor's events have told, one row per aggregate, replaced only by a higher version. A removed
-- aggregate's row stays, so that an event that comes late cannot bring it back.

create table vendors (
    id uuid not null,
    version bigint not null,
    removed_at timestamptz,
    open_for_business boolean not null,
    constraint vendors_pkey primary key (id)
);

create table clinics (
    id uuid not null,
    version bigint not null,
    removed_at timestamptz,
    vendor_id uuid not null,
    time_zone text not null,
    active boolean not null,
    constraint clinics_pkey primary key (id)
);

create table services (
    id uuid not null,
    version bigint not null,
    removed_at timestamptz,
    vendor_id uuid not null,
    clinic_id uuid not null,
    name text not null,
    duration_minutes integer not null,
    buffer_before_minutes integer not null,
    buffer_after_minutes integer not null,
    capacity integer not null,
    price_amount bigint not null,
    price_currency text not null,
    active boolean not null,
    constraint services_pkey primary key (id)
);

-- The opening hours of a clinic, by the clinic's id: wall clocks, weekly and by date.
create table service_availability (
    id uuid not null,
    version bigint not null,
    removed_at timestamptz,
    vendor_id uuid not null,
    hours jsonb not null,
    constraint service_availability_pkey primary key (id)
);

create table staff (
    id uuid not null,
    version bigint not null,
    removed_at timestamptz,
    vendor_id uuid not null,
    -- Lists of ids.
    clinic_ids jsonb not null,
    service_ids jsonb not null,
    -- A week of their own; null: whenever the clinic is open.
    hours jsonb,
    active boolean not null,
    constraint staff_pkey primary key (id)
);
create index staff_service_ids_idx on staff using gin (service_ids jsonb_path_ops);

create table memberships (
    id uuid not null,
    version bigint not null,
    removed_at timestamptz,
    user_id uuid not null,
    vendor_id uuid not null,
    clinic_id uuid,
    role text not null,
    active boolean not null,
    constraint memberships_pkey primary key (id)
);
create index memberships_user_idx on memberships (user_id, vendor_id) where active;
