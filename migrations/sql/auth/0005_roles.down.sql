delete from user_roles where role not in ('customer', 'platform_admin');
delete from roles where name not in ('customer', 'platform_admin');
alter table roles
    drop constraint roles_name_check,
    drop constraint roles_description_check,
    drop column id,
    drop column version,
    drop column created_at,
    drop column updated_at,
    add constraint roles_name_check check (name in ('customer', 'platform_admin'));

create table permissions (
    name text not null,
    description text not null,
    constraint permissions_pkey primary key (name),
    constraint permissions_name_check check (name ~ '^[a-z][A-Za-z]*\.[a-z][A-Za-z]*$')
);
alter table role_permissions
    drop constraint role_permissions_permission_check,
    add constraint role_permissions_permission_fkey foreign key (permission) references permissions (name) on delete cascade;

insert into permissions (name, description) values
    ('booking.create', 'Book a visit'),
    ('vendor.create', 'Register a business'),
    ('vendor.approve', 'Approve or reject a business'),
    ('vendor.suspend', 'Suspend a business'),
    ('user.read', 'See every account'),
    ('user.update', 'Change every account'),
    ('role.assign', 'Give and take roles');

insert into role_permissions (role, permission) values
    ('customer', 'booking.create'),
    ('customer', 'vendor.create'),
    ('platform_admin', 'vendor.approve'),
    ('platform_admin', 'vendor.suspend'),
    ('platform_admin', 'user.read'),
    ('platform_admin', 'user.update'),
    ('platform_admin', 'role.assign');
