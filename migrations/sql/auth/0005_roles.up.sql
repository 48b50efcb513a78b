-- Roles that are made and changed while the platform runs. What can be given to them follows from the contract, so there
-- is no table of permissions: the service refuses what is none.

alter table role_permissions drop constraint role_permissions_permission_fkey;
drop table permissions;
-- They were shown and have never decided anything. Whoever runs the platform has all permissions without a row.
delete from role_permissions;
alter table role_permissions
    add constraint role_permissions_permission_check check (char_length(permission) between 1 and 100);

alter table roles
    drop constraint roles_name_check,
    add column id uuid not null default gen_random_uuid(),
    add column version bigint not null default 1,
    add column created_at timestamptz not null default now(),
    add column updated_at timestamptz not null default now(),
    add constraint roles_id_key unique (id),
    add constraint roles_name_check check (name ~ '^[a-z][a-z0-9_]{1,39}$'),
    add constraint roles_description_check check (char_length(description) between 1 and 200),
    add constraint roles_version_check check (version > 0);
alter table roles
    alter column id drop default,
    alter column version drop default,
    alter column created_at drop default,
    alter column updated_at drop default;
