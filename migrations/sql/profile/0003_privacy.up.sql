-- Requests of persons for their data, and the keys under which what was exported is sealed until it is gone.

-- To be backed up apart from all else, and for days only.
create table person_keys (
    subject uuid not null,
    -- The key under the service's data key; null once it is destroyed, so that it is never made again.
    wrapped bytea,
    created_at timestamptz not null default clock_timestamp(),
    destroyed_at timestamptz,
    constraint person_keys_pkey primary key (subject),
    constraint person_keys_wrapped_check check (octet_length(wrapped) = 73),
    constraint person_keys_destroyed_check check ((wrapped is null) = (destroyed_at is not null))
);

create table privacy_requests (
    id uuid not null,
    user_id uuid not null,
    kind text not null,
    status text not null,
    -- Each service in the order in which they are asked: {service, done, failedAttempts, lastFailure, cursor}.
    steps jsonb not null,
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    finished_at timestamptz,
    -- When it is to be worked on; whoever does moves it ahead, so that another takes over after that time. Null: never
    -- again.
    due_at timestamptz,
    -- Until when an export can be read.
    available_until timestamptz,
    constraint privacy_requests_pkey primary key (id),
    constraint privacy_requests_kind_check check (kind in ('export', 'erase')),
    constraint privacy_requests_status_check check (status in ('running', 'settling', 'done')),
    constraint privacy_requests_version_check check (version > 0),
    constraint privacy_requests_finished_check check ((status = 'done') = (finished_at is not null)),
    constraint privacy_requests_settling_check check (status <> 'settling' or kind = 'erase')
);
create unique index privacy_requests_open_key on privacy_requests (user_id, kind) where finished_at is null;
create index privacy_requests_user_idx on privacy_requests (user_id, id);
create index privacy_requests_due_idx on privacy_requests (due_at) where due_at is not null;

-- An export, part by part as the services told it.
create table privacy_parts (
    request_id uuid not null,
    position integer not null,
    service text not null,
    -- The rows in JSON, under the key of their person.
    sealed text not null,
    constraint privacy_parts_pkey primary key (request_id, position),
    constraint privacy_parts_request_fkey foreign key (request_id) references privacy_requests (id) on delete cascade
);
