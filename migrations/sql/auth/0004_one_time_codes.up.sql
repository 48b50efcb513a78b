-- One-time codes, and addresses that were verified by them.

alter table users add column email_verified_at timestamptz;

-- A code is not stored: it follows from the nonce, the id and the service's key, which is not in the database. There is a
-- row whether or not there is an account, so that asking for a code takes as long; user_id refers to nothing for the same
-- reason. One of a purpose for an account: the next one takes its place.
create table one_time_codes (
    id uuid not null,
    -- The keyed hash of the e-mail address.
    account bytea not null,
    purpose text not null,
    -- Who gets it; null: nobody.
    user_id uuid,
    nonce bytea not null,
    -- How often one was shown.
    tries integer not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    -- When the task that has them sent came by.
    told_at timestamptz,
    -- When it was shown.
    spent_at timestamptz,
    -- What was given for it: SHA-256 of a token for another password.
    reset_token_hash bytea,
    reset_expires_at timestamptz,
    constraint one_time_codes_pkey primary key (id),
    constraint one_time_codes_account_key unique (account, purpose),
    constraint one_time_codes_reset_token_hash_key unique (reset_token_hash),
    constraint one_time_codes_account_check check (octet_length(account) = 32),
    constraint one_time_codes_purpose_check check (purpose in ('password_reset', 'email_verification')),
    constraint one_time_codes_nonce_check check (octet_length(nonce) = 32),
    constraint one_time_codes_tries_check check (tries between 0 and 5),
    constraint one_time_codes_expires_at_check check (expires_at > created_at),
    constraint one_time_codes_reset_token_hash_check check (octet_length(reset_token_hash) = 32),
    constraint one_time_codes_reset_check check
        ((reset_token_hash is null) = (reset_expires_at is null) and (reset_token_hash is null or spent_at is not null))
);
create index one_time_codes_user_id_idx on one_time_codes (user_id);
create index one_time_codes_untold_idx on one_time_codes (created_at) where told_at is null;
create index one_time_codes_expires_at_idx on one_time_codes (expires_at);
