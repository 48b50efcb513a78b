-- Text as it is searched: without accents, in lower case. unaccent() is only "stable", since its dictionary could be
-- altered; ours is not, and an index needs the promise.
create function searchable(original text) returns text
    language sql immutable strict parallel safe
    as $$ select lower(ext.unaccent('ext.unaccent'::regdictionary, original)) $$;

create table vendors (
    id              uuid        not null,
    name            text        not null,
    kind            text        not null,
    description     text,
    email           text,
    phone           text,
    website         text,
    status          text        not null,
    -- Why it was rejected or suspended.
    status_reason   text,
    created_at      timestamptz not null,
    updated_at      timestamptz not null,
    version         bigint      not null,
    search_text     text        not null generated always as (searchable(name || ' ' || coalesce(description, ''))) stored,
    constraint vendors_pkey primary key (id),
    constraint vendors_kind_check check (kind in ('clinic', 'groomer', 'sitter', 'shop')),
    constraint vendors_status_check check (status in ('draft', 'submitted', 'approved', 'rejected', 'suspended')),
    constraint vendors_status_reason_check check ((status_reason is not null) = (status in ('rejected', 'suspended'))),
    constraint vendors_version_check check (version > 0)
);
create index vendors_search_index on vendors using gin (search_text ext.gin_trgm_ops);

create table clinics (
    id                  uuid        not null,
    vendor_id           uuid        not null,
    name                text        not null,
    description         text,
    phone               text,
    street              text        not null,
    district            text,
    city                text        not null,
    province            text,
    postal_code         text,
    country             text        not null,
    latitude            double precision,
    longitude           double precision,
    time_zone           text        not null,
    active              boolean     not null,
    created_at          timestamptz not null,
    updated_at          timestamptz not null,
    version             bigint      not null,
    -- The opening hours are an aggregate of their own that shares the clinic's id.
    schedule_updated_at timestamptz not null,
    schedule_version    bigint      not null,
    search_text         text        not null generated always as (searchable(
        name || ' ' || coalesce(description, '') || ' ' || street || ' ' || coalesce(district, '') || ' ' || city
        || ' ' || coalesce(province, ''))) stored,
    constraint clinics_pkey primary key (id),
    constraint clinics_id_vendor_key unique (id, vendor_id),
    constraint clinics_vendor_fkey foreign key (vendor_id) references vendors (id) on delete cascade,
    constraint clinics_point_check check ((latitude is null) = (longitude is null)),
    constraint clinics_latitude_check check (latitude between -90 and 90),
    constraint clinics_longitude_check check (longitude between -180 and 180),
    constraint clinics_version_check check (version > 0 and schedule_version > 0)
);
create index clinics_vendor_index on clinics (vendor_id);
-- The order of lists.
create index clinics_name_index on clinics (name, id);
create index clinics_point_index on clinics (latitude, longitude) where active;
create index clinics_search_index on clinics using gin (search_text ext.gin_trgm_ops);

-- A null clinic means all clinics of the vendor.
create table memberships (
    id          uuid        not null,
    vendor_id   uuid        not null,
    clinic_id   uuid,
    user_id     uuid        not null,
    role        text        not null,
    status      text        not null,
    created_at  timestamptz not null,
    updated_at  timestamptz not null,
    version     bigint      not null,
    constraint memberships_pkey primary key (id),
    constraint memberships_vendor_fkey foreign key (vendor_id) references vendors (id) on delete cascade,
    -- Both together, so that no membership can name another vendor's clinic.
    constraint memberships_clinic_fkey foreign key (clinic_id, vendor_id) references clinics (id, vendor_id) on delete cascade,
    constraint memberships_role_check check (role in ('clinic_staff', 'clinic_admin')),
    constraint memberships_status_check check (status in ('invited', 'active', 'revoked')),
    constraint memberships_version_check check (version > 0)
);
create unique index memberships_live_key on memberships (vendor_id, user_id, clinic_id) nulls not distinct
    where status <> 'revoked';
create index memberships_user_index on memberships (user_id) where status <> 'revoked';
create index memberships_vendor_index on memberships (vendor_id, id);
create index memberships_clinic_index on memberships (clinic_id) where clinic_id is not null;

create table clinic_services (
    id                      uuid        not null,
    clinic_id               uuid        not null,
    vendor_id               uuid        not null,
    name                    text        not null,
    description             text,
    duration_minutes        integer     not null,
    buffer_before_minutes   integer     not null,
    buffer_after_minutes    integer     not null,
    price_amount            bigint      not null,
    price_currency          text        not null,
    capacity                integer     not null,
    active                  boolean     not null,
    created_at              timestamptz not null,
    updated_at              timestamptz not null,
    version                 bigint      not null,
    search_text             text        not null generated always as (searchable(name)) stored,
    constraint clinic_services_pkey primary key (id),
    constraint clinic_services_id_clinic_key unique (id, clinic_id),
    constraint clinic_services_clinic_fkey foreign key (clinic_id, vendor_id) references clinics (id, vendor_id) on delete cascade,
    constraint clinic_services_duration_check check (duration_minutes between 5 and 1440),
    constraint clinic_services_buffers_check check (buffer_before_minutes between 0 and 240 and buffer_after_minutes between 0 and 240),
    constraint clinic_services_price_check check (price_amount between 0 and 1000000000000 and price_currency = 'IDR'),
    constraint clinic_services_capacity_check check (capacity between 1 and 100),
    constraint clinic_services_version_check check (version > 0)
);
create unique index clinic_services_name_key on clinic_services (clinic_id, lower(name));
create index clinic_services_vendor_index on clinic_services (vendor_id);
-- The order of lists, of all services and of one clinic's.
create index clinic_services_name_index on clinic_services (name, id);
create index clinic_services_clinic_name_index on clinic_services (clinic_id, name, id);
create index clinic_services_search_index on clinic_services using gin (search_text ext.gin_trgm_ops);

create table staff (
    id              uuid        not null,
    vendor_id       uuid        not null,
    display_name    text        not null,
    title           text,
    user_id         uuid,
    -- A week of their own, as the contract writes it; null: whenever the clinic is open.
    hours           jsonb,
    active          boolean     not null,
    created_at      timestamptz not null,
    updated_at      timestamptz not null,
    version         bigint      not null,
    constraint staff_pkey primary key (id),
    constraint staff_id_vendor_key unique (id, vendor_id),
    constraint staff_vendor_fkey foreign key (vendor_id) references vendors (id) on delete cascade,
    constraint staff_version_check check (version > 0)
);
create index staff_vendor_index on staff (vendor_id);
-- The order of lists.
create index staff_name_index on staff (display_name, id);

create table staff_clinics (
    staff_id    uuid not null,
    clinic_id   uuid not null,
    vendor_id   uuid not null,
    constraint staff_clinics_pkey primary key (staff_id, clinic_id),
    constraint staff_clinics_staff_fkey foreign key (staff_id, vendor_id) references staff (id, vendor_id) on delete cascade,
    constraint staff_clinics_clinic_fkey foreign key (clinic_id, vendor_id) references clinics (id, vendor_id) on delete cascade
);
create index staff_clinics_clinic_index on staff_clinics (clinic_id);

-- The clinic stands here so that the keys can hold what the rule says: a staff member performs only services of the
-- clinics at which they work.
create table staff_services (
    staff_id    uuid not null,
    service_id  uuid not null,
    clinic_id   uuid not null,
    constraint staff_services_pkey primary key (staff_id, service_id),
    constraint staff_services_staff_fkey foreign key (staff_id, clinic_id) references staff_clinics (staff_id, clinic_id) on delete cascade,
    constraint staff_services_service_fkey foreign key (service_id, clinic_id) references clinic_services (id, clinic_id) on delete cascade
);
create index staff_services_service_index on staff_services (service_id);

create table operating_hours (
    clinic_id   uuid     not null,
    -- 0 is Monday.
    day         smallint not null,
    opens       time     not null,
    -- At or before "opens": on the next day.
    closes      time     not null,
    constraint operating_hours_pkey primary key (clinic_id, day, opens),
    constraint operating_hours_clinic_fkey foreign key (clinic_id) references clinics (id) on delete cascade,
    constraint operating_hours_day_check check (day between 0 and 6)
);

create table hour_exceptions (
    clinic_id   uuid  not null,
    date        date  not null,
    -- As the contract writes them; an empty list: closed.
    intervals   jsonb not null,
    note        text,
    constraint hour_exceptions_pkey primary key (clinic_id, date),
    constraint hour_exceptions_clinic_fkey foreign key (clinic_id) references clinics (id) on delete cascade
);

-- The saga of vendor.register. It holds ids and hashes only: who registers, and with what password, is never stored
-- here.
create table registrations (
    id              uuid        not null,
    user_id         uuid        not null,
    vendor_id       uuid        not null,
    step            text        not null,
    -- The answer of a registration that was refused, to be given again; null for one that ran out of time.
    refusal         jsonb,
    -- SHA-256 of the owner's normalised e-mail address and the idempotency key; null without a key.
    key_hash        bytea,
    -- argon2id of the whole request, its password too, salted with key_hash; null without a key.
    fingerprint     bytea,
    created_at      timestamptz not null,
    updated_at      timestamptz not null,
    version         bigint      not null,
    constraint registrations_pkey primary key (id),
    constraint registrations_key_key unique (key_hash),
    constraint registrations_fingerprint_check check ((key_hash is null) = (fingerprint is null)),
    constraint registrations_step_check check (step in ('started', 'vendor_created', 'done', 'failed')),
    constraint registrations_refusal_check check (refusal is null or step = 'failed'),
    constraint registrations_version_check check (version > 0)
);
create index registrations_open_index on registrations (updated_at) where step in ('started', 'vendor_created');
create index registrations_finished_index on registrations (step, updated_at) where step in ('done', 'failed');
