-- People and their pets. What stands here is the present state: erasing a person means deleting their rows.

-- Whoever has no row has an empty profile of version 1.
create table profiles (
    user_id         uuid        not null,
    display_name    text,
    bio             text,
    avatar_url      text,
    birth_date      date,
    -- Null until it was changed for the first time.
    updated_at      timestamptz,
    version         bigint      not null,
    constraint profiles_pkey primary key (user_id),
    constraint profiles_version_check check (version > 0)
);

-- Whoever has no row has the defaults of the contract, of version 1.
create table preferences (
    user_id         uuid        not null,
    language        text        not null,
    time_zone       text        not null,
    email           boolean     not null,
    push            boolean     not null,
    sms             boolean     not null,
    whatsapp        boolean     not null,
    quiet_from      time,
    quiet_to        time,
    updated_at      timestamptz not null,
    version         bigint      not null,
    constraint preferences_pkey primary key (user_id),
    constraint preferences_language_check check (language in ('id', 'en')),
    constraint preferences_quiet_check check ((quiet_from is null) = (quiet_to is null) and quiet_from <> quiet_to),
    constraint preferences_version_check check (version > 0)
);

create table addresses (
    id              uuid        not null,
    user_id         uuid        not null,
    label           text        not null,
    recipient       text        not null,
    phone           text        not null,
    street          text        not null,
    rt              text,
    rw              text,
    village         text        not null,
    district        text        not null,
    city            text        not null,
    province        text        not null,
    postal_code     text        not null,
    country         text        not null,
    latitude        double precision,
    longitude       double precision,
    notes           text,
    is_default      boolean     not null,
    created_at      timestamptz not null,
    updated_at      timestamptz not null,
    version         bigint      not null,
    constraint addresses_pkey primary key (id),
    constraint addresses_postal_code_check check (postal_code ~ '^[0-9]{5}$'),
    constraint addresses_country_check check (country = 'ID'),
    constraint addresses_point_check check ((latitude is null) = (longitude is null)),
    constraint addresses_latitude_check check (latitude between -90 and 90),
    constraint addresses_longitude_check check (longitude between -180 and 180),
    constraint addresses_version_check check (version > 0)
);
create index addresses_user_index on addresses (user_id, id);
create unique index addresses_default_key on addresses (user_id) where is_default;

create table pets (
    id              uuid        not null,
    owner_id        uuid        not null,
    name            text        not null,
    species         text        not null,
    breed           text,
    sex             text        not null,
    neutered        boolean,
    birth_date      date,
    weight_grams    integer,
    microchip       text,
    photo_url       text,
    notes           text,
    created_at      timestamptz not null,
    updated_at      timestamptz not null,
    version         bigint      not null,
    constraint pets_pkey primary key (id),
    constraint pets_species_check check (species in
        ('dog', 'cat', 'bird', 'rabbit', 'rodent', 'fish', 'reptile', 'other')),
    constraint pets_sex_check check (sex in ('female', 'male', 'unknown')),
    constraint pets_weight_check check (weight_grams between 1 and 500000),
    constraint pets_microchip_check check (microchip ~ '^[0-9]{15}$'),
    constraint pets_version_check check (version > 0)
);
create index pets_owner_index on pets (owner_id, id);
create unique index pets_microchip_key on pets (microchip) where microchip is not null;

-- With whom a pet is shared, and invitations to it. Of a code only a digest is kept; it stays when it is accepted, so
-- that accepting twice can be told from somebody else's trying.
create table pet_shares (
    id              uuid        not null,
    pet_id          uuid        not null,
    role            text        not null,
    -- Null until somebody has accepted it.
    user_id         uuid,
    code_hash       bytea       not null,
    expires_at      timestamptz not null,
    created_at      timestamptz not null,
    accepted_at     timestamptz,
    constraint pet_shares_pkey primary key (id),
    constraint pet_shares_pet_fkey foreign key (pet_id) references pets (id) on delete cascade,
    constraint pet_shares_code_key unique (code_hash),
    constraint pet_shares_person_key unique (pet_id, user_id),
    constraint pet_shares_role_check check (role in ('viewer', 'carer')),
    constraint pet_shares_accepted_check check ((user_id is null) = (accepted_at is null))
);
create index pet_shares_user_index on pet_shares (user_id, pet_id) where user_id is not null;

-- The records of pets. They only grow: what was wrong is replaced by a later entry, and both stay until the pet goes.
create table pet_records (
    id              uuid        not null,
    pet_id          uuid        not null,
    kind            text        not null,
    -- What the contract says of an entry of the kind.
    details         jsonb       not null,
    author_kind     text        not null,
    -- Null where the author's data was erased.
    author_id       uuid,
    vendor_id       uuid,
    clinic_id       uuid,
    replaces        uuid,
    created_at      timestamptz not null,
    constraint pet_records_pkey primary key (id),
    constraint pet_records_id_pet_kind_key unique (id, pet_id, kind),
    constraint pet_records_pet_fkey foreign key (pet_id) references pets (id) on delete cascade,
    -- A correction is about the same pet and of the same kind.
    constraint pet_records_replaces_fkey foreign key (replaces, pet_id, kind) references pet_records (id, pet_id, kind)
        on delete cascade,
    constraint pet_records_replaces_key unique (replaces),
    constraint pet_records_kind_check check (kind in ('vaccination', 'allergy', 'weight', 'note')),
    constraint pet_records_author_check check (author_kind in ('owner', 'household', 'staff')),
    constraint pet_records_clinic_check check
        ((clinic_id is null) = (vendor_id is null) and (author_kind = 'staff') = (clinic_id is not null))
);
create index pet_records_pet_index on pet_records (pet_id, id);
create index pet_records_author_index on pet_records (author_id) where author_id is not null;

-- Nothing of an entry changes but that its author is forgotten, when the author's data is erased.
create function refuse_to_rewrite_records() returns trigger language plpgsql as $$
begin
    if new.author_id is null and old.author_id is not null
        and to_jsonb(new) - 'author_id' = to_jsonb(old) - 'author_id' then
        return new;
    end if;
    raise exception 'pet_records only grow' using errcode = 'restrict_violation';
end
$$;
create trigger pet_records_only_grow before update on pet_records
    for each row execute function refuse_to_rewrite_records();

-- Read model: the bookings of pets, as booking's events have told. They decide which clinic's staff reads a pet's
-- records, and until when.
create table bookings (
    id              uuid        not null,
    version         bigint      not null,
    removed_at      timestamptz,
    pet_id          uuid        not null,
    vendor_id       uuid        not null,
    clinic_id       uuid        not null,
    status          text        not null,
    ends_at         timestamptz not null,
    constraint bookings_pkey primary key (id)
);
create index bookings_pet_index on bookings (pet_id, ends_at);
