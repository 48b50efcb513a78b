-- Calendars: who may read which bookings at a secret address.
create table calendar_feeds (
    id uuid not null,
    user_id uuid not null,
    -- The clinic whose bookings it shows; null: the user's own.
    clinic_id uuid,
    vendor_id uuid,
    staff_id uuid,
    -- SHA-256 of the secret. Of 256 random bits a fast hash tells nothing.
    token_hash bytea not null,
    created_at timestamptz not null,
    constraint calendar_feeds_pkey primary key (id),
    constraint calendar_feeds_token_hash_key unique (token_hash),
    constraint calendar_feeds_token_hash_check check (octet_length(token_hash) = 32),
    constraint calendar_feeds_clinic_check check ((clinic_id is null) = (vendor_id is null)),
    constraint calendar_feeds_staff_check check (staff_id is null or clinic_id is not null)
);
create index calendar_feeds_user_idx on calendar_feeds (user_id, id);
