-- Read model: what the roles allow that were made, as the auth service's events tell.
create table roles (
    id uuid not null,
    version bigint not null,
    removed_at timestamptz,
    name text not null,
    permissions jsonb not null,
    constraint roles_pkey primary key (id)
);
create index roles_name_idx on roles (name) where removed_at is null;
