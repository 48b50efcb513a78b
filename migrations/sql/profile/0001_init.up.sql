-- Read model: who works for which vendor, as its events have told. A removed row stays, so that an event that comes late
-- cannot bring it back.
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
