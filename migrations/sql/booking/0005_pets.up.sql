-- Read model: pets, as profile's events have told. A removed row stays, so that an event that comes late cannot bring
-- it back.
create table pets (
    id uuid not null,
    version bigint not null,
    removed_at timestamptz,
    owner_id uuid not null,
    -- List of ids.
    shared_with jsonb not null,
    constraint pets_pkey primary key (id)
);
