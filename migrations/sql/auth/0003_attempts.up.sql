-- How often passwords and codes were wrong of late, and who is known where.

-- What is counted: an account (address is empty), an account from one client's address that it is known at, or a client's
-- address (account is empty). Both are keyed hashes: of the e-mail address as it was typed, whether or not there is such
-- an account, and of an IPv4 address or a /64 network. Without the service's key nobody learns whom they are of.
create table attempt_brakes (
    account bytea not null,
    address bytea not null,
    -- Attempts that have not gone well, those under way included.
    failures integer not null,
    -- Until when no further attempt is let in.
    locked_until timestamptz,
    -- From when on it counts from the beginning.
    forgotten_at timestamptz not null,
    constraint attempt_brakes_pkey primary key (account, address),
    constraint attempt_brakes_account_check check (octet_length(account) in (0, 32)),
    constraint attempt_brakes_address_check check (octet_length(address) in (0, 32)),
    constraint attempt_brakes_key_check check (octet_length(account) + octet_length(address) > 0),
    constraint attempt_brakes_failures_check check (failures >= 0)
);
create index attempt_brakes_forgotten_at_idx on attempt_brakes (forgotten_at);

-- From where an account was signed in to: attempts from there are not held up by those from elsewhere.
create table familiar_addresses (
    account bytea not null,
    address bytea not null,
    user_id uuid not null,
    signed_in_at timestamptz not null,
    constraint familiar_addresses_pkey primary key (account, address),
    constraint familiar_addresses_user_id_fkey foreign key (user_id) references users (id) on delete cascade,
    constraint familiar_addresses_account_check check (octet_length(account) = 32),
    constraint familiar_addresses_address_check check (octet_length(address) = 32)
);
create index familiar_addresses_user_id_idx on familiar_addresses (user_id, signed_in_at);
create index familiar_addresses_signed_in_at_idx on familiar_addresses (signed_in_at);
