-- Accounts, what they may do, and where they are signed in.

-- Addresses are stored trimmed and in lower case; the index on lower(email) holds that against whoever forgets.
create table users (
    id uuid not null,
    email text not null,
    password_hash text not null,
    first_name text not null,
    last_name text,
    phone_number text,
    status text not null,
    -- Until when a pending account waits to be activated.
    expires_at timestamptz,
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint users_pkey primary key (id),
    constraint users_email_check check (char_length(email) between 3 and 254),
    constraint users_password_hash_check check (password_hash like '$argon2id$%'),
    constraint users_first_name_check check (char_length(first_name) between 1 and 100),
    constraint users_last_name_check check (char_length(last_name) between 1 and 100),
    constraint users_phone_number_check check (char_length(phone_number) between 1 and 25),
    constraint users_status_check check (status in ('pending', 'active', 'inactive', 'suspended')),
    constraint users_expires_at_check check ((status = 'pending') = (expires_at is not null)),
    constraint users_version_check check (version > 0)
);
create unique index users_email_key on users (lower(email));
create index users_expires_at_idx on users (expires_at) where status = 'pending';

create table roles (
    name text not null,
    description text not null,
    constraint roles_pkey primary key (name),
    constraint roles_name_check check (name in ('customer', 'platform_admin'))
);

create table permissions (
    name text not null,
    description text not null,
    constraint permissions_pkey primary key (name),
    constraint permissions_name_check check (name ~ '^[a-z][A-Za-z]*\.[a-z][A-Za-z]*$')
);

create table role_permissions (
    role text not null,
    permission text not null,
    constraint role_permissions_pkey primary key (role, permission),
    constraint role_permissions_role_fkey foreign key (role) references roles (name) on delete cascade,
    constraint role_permissions_permission_fkey foreign key (permission) references permissions (name) on delete cascade
);

create table user_roles (
    user_id uuid not null,
    role text not null,
    constraint user_roles_pkey primary key (user_id, role),
    constraint user_roles_user_id_fkey foreign key (user_id) references users (id) on delete cascade,
    constraint user_roles_role_fkey foreign key (role) references roles (name)
);
create index user_roles_role_idx on user_roles (role, user_id);

-- A session is one family of refresh tokens: each token buys the next, and all end together.
create table sessions (
    id uuid not null,
    user_id uuid not null,
    device text,
    version bigint not null,
    created_at timestamptz not null,
    last_used_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz,
    revoked_reason text,
    constraint sessions_pkey primary key (id),
    constraint sessions_user_id_fkey foreign key (user_id) references users (id) on delete cascade,
    constraint sessions_device_check check (char_length(device) between 1 and 100),
    constraint sessions_version_check check (version > 0),
    constraint sessions_expires_at_check check (expires_at > created_at),
    constraint sessions_revoked_check check ((revoked_at is null) = (revoked_reason is null)),
    constraint sessions_revoked_reason_check check (revoked_reason in
        ('logout', 'revoked', 'password_changed', 'token_reused', 'role_removed', 'account_closed'))
);
create index sessions_user_id_idx on sessions (user_id, id) where revoked_at is null;
create index sessions_expires_at_idx on sessions (expires_at);
create index sessions_revoked_at_idx on sessions (revoked_at) where revoked_at is not null;

-- Tokens are kept as SHA-256 only. The successor of a spent one is derived from the spent token itself, which is
-- not kept, and the nonce here: so the same answer can be given again without ever being stored.
create table refresh_tokens (
    id uuid not null,
    session_id uuid not null,
    token_hash bytea not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    spent_at timestamptz,
    successor_nonce bytea,
    constraint refresh_tokens_pkey primary key (id),
    constraint refresh_tokens_token_hash_key unique (token_hash),
    constraint refresh_tokens_session_id_fkey foreign key (session_id) references sessions (id) on delete cascade,
    constraint refresh_tokens_token_hash_check check (octet_length(token_hash) = 32),
    constraint refresh_tokens_successor_nonce_check check (octet_length(successor_nonce) = 32),
    constraint refresh_tokens_spent_check check ((spent_at is null) = (successor_nonce is null))
);
create index refresh_tokens_session_id_idx on refresh_tokens (session_id);
create index refresh_tokens_expires_at_idx on refresh_tokens (expires_at);
-- A session has one token to spend, never two.
create unique index refresh_tokens_unspent_key on refresh_tokens (session_id) where spent_at is null;

-- Who tried to sign in, for those who look into an attack. The address is kept as its SHA-256 only, since it may
-- be of somebody who has no account here.
create table login_attempts (
    id uuid not null,
    email_hash bytea not null,
    user_id uuid,
    outcome text not null,
    attempted_at timestamptz not null,
    constraint login_attempts_pkey primary key (id),
    constraint login_attempts_user_id_fkey foreign key (user_id) references users (id) on delete cascade,
    constraint login_attempts_email_hash_check check (octet_length(email_hash) = 32),
    constraint login_attempts_outcome_check check (outcome in
        ('succeeded', 'unknown_account', 'wrong_password', 'not_active'))
);
create index login_attempts_email_hash_idx on login_attempts (email_hash, attempted_at);
create index login_attempts_user_id_idx on login_attempts (user_id);
create index login_attempts_attempted_at_idx on login_attempts (attempted_at);

insert into roles (name, description) values
    ('customer', 'Books visits and buys for pets'),
    ('platform_admin', 'Runs the platform');

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
