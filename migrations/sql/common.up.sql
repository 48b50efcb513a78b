-- What every service's schema has: the outbox, the inbox and the idempotency keys.

-- Events, written in the transaction that makes them true and published by the relay.
-- Stream, incarnation (when the stream was created) and sequence say where JetStream keeps the event.
create table outbox (
    id uuid not null,
    type text not null,
    aggregate_id uuid not null,
    version bigint not null,
    partition smallint not null,
    headers jsonb not null,
    body jsonb not null,
    created_at timestamptz not null default clock_timestamp(),
    published_at timestamptz,
    stream text,
    incarnation timestamptz,
    sequence bigint,
    constraint outbox_pkey primary key (id),
    constraint outbox_position_key unique (stream, incarnation, sequence),
    constraint outbox_partition_check check (partition between 0 and 63),
    constraint outbox_published_check check (
        published_at is null or (stream is not null and incarnation is not null and sequence is not null)
    )
);
create index outbox_unpublished_aggregate_idx on outbox (aggregate_id, version, id) where published_at is null;
create index outbox_published_at_idx on outbox (published_at) where published_at is not null;

-- Events that a work consumer has handled: the row and the effect are one transaction.
create table inbox (
    handler text not null,
    event_id uuid not null,
    handled_at timestamptz not null default clock_timestamp(),
    constraint inbox_pkey primary key (handler, event_id)
);
create index inbox_handled_at_idx on inbox (handled_at);

-- Answers by idempotency key, stored in the transaction of their effect.
create table idempotency_keys (
    scope text not null,
    subject text not null,
    key text not null,
    body_hash bytea not null,
    status text not null,
    reply jsonb not null,
    created_at timestamptz not null default clock_timestamp(),
    constraint idempotency_keys_pkey primary key (scope, subject, key),
    constraint idempotency_keys_status_check check (status in ('replied', 'refused'))
);
create index idempotency_keys_created_at_idx on idempotency_keys (created_at);

-- Waits for whoever works under the same key; the key is the caller's until its transaction ends.
create function lock_idempotency_key(
    claimed_scope text, claimed_subject text, claimed_key text, wait_milliseconds integer
) returns void language plpgsql volatile as $$
begin
    perform set_config('lock_timeout', wait_milliseconds::text, true);
    perform pg_advisory_xact_lock(hashtextextended(
        concat_ws(chr(31), current_schema(), claimed_scope, claimed_subject, claimed_key), 0));
end
$$;

-- Takes the key and tells what is stored under it.
-- A volatile function, because each of its statements sees what was committed while the one before it waited: one
-- plain statement would look with the eyes it had before it got the lock.
create function claim_idempotency_key(
    claimed_scope text, claimed_subject text, claimed_key text, wait_milliseconds integer
) returns setof idempotency_keys language plpgsql volatile as $$
begin
    perform lock_idempotency_key(claimed_scope, claimed_subject, claimed_key, wait_milliseconds);
    return query
        select * from idempotency_keys as stored
        where stored.scope = claimed_scope and stored.subject = claimed_subject and stored.key = claimed_key;
end
$$;

-- Takes the key and stores a refusal under it, unless something is stored there by now: tells that then.
create function record_refusal(
    refused_scope text, refused_subject text, refused_key text, refused_hash bytea, refusal jsonb,
    wait_milliseconds integer
) returns setof idempotency_keys language plpgsql volatile as $$
begin
    return query
        select * from claim_idempotency_key(refused_scope, refused_subject, refused_key, wait_milliseconds);
    if not found then
        insert into idempotency_keys (scope, subject, key, body_hash, status, reply)
        values (refused_scope, refused_subject, refused_key, refused_hash, 'refused', refusal);
    end if;
end
$$;
