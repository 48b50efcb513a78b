-- The event log at its full size: outbox and inbox by day, dead letters, what operators have paused, and which read
-- models have been built.
--
-- A day's partition holds the ids that are made on it: ids are UUIDs of version 7, whose first 48 bits are the time in
-- milliseconds. So a primary key of ids is possible, and what is looked for by id is looked for in one partition.

-- The lowest id that can be made at a time.
create function first_id_at(moment timestamptz) returns uuid language sql immutable strict as $$
    select (lpad(to_hex((extract(epoch from moment) * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid
$$;

alter table outbox rename to outbox_before;
alter table outbox_before rename constraint outbox_pkey to outbox_before_pkey;
alter table outbox_before rename constraint outbox_position_key to outbox_before_position_key;
alter index outbox_unpublished_aggregate_idx rename to outbox_before_unpublished_aggregate_idx;
alter index outbox_published_at_idx rename to outbox_before_published_at_idx;
alter table inbox rename to inbox_before;
alter table inbox_before rename constraint inbox_pkey to inbox_before_pkey;
alter index inbox_handled_at_idx rename to inbox_before_handled_at_idx;

-- Events, written in the transaction that makes them true and published by the relay.
-- Stream, incarnation (when the stream was created) and sequence say where JetStream keeps the event. No two rows of a
-- day have the same place; between days the relay, of which there is one at a time, sees to it.
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
    constraint outbox_partition_check check (partition between 0 and 63),
    constraint outbox_published_check check (
        published_at is null or (stream is not null and incarnation is not null and sequence is not null)
    )
) partition by range (id);
create index outbox_unpublished_aggregate_idx on outbox (aggregate_id, version, id) where published_at is null;
create index outbox_correlation_idx on outbox ((headers ->> 'x-correlation-id'));

-- Events that a work consumer has dealt with: the row and the effect, or the dead letter, are one transaction.
create table inbox (
    handler text not null,
    event_id uuid not null,
    handled_at timestamptz not null default clock_timestamp(),
    constraint inbox_pkey primary key (handler, event_id)
) partition by range (event_id);

-- What no day was made for.
create table outbox_other_days partition of outbox default;
create table inbox_other_days partition of inbox default;
create unique index outbox_other_days_position_key on outbox_other_days (stream, incarnation, sequence)
    where published_at is not null;

-- Makes the partitions of yesterday, today and the days ahead, so that there always is one, and answers how many it has
-- made. What cannot be locked soon is left for the next time.
create function make_event_days(days_ahead integer) returns integer
language plpgsql volatile security definer set search_path from current as $$
declare
    parent text;
    id_column text;
    partition text;
    day date;
    lowest uuid;
    above uuid;
    made integer := 0;
begin
    perform pg_advisory_xact_lock(hashtextextended('event days of ' || current_schema(), 0));
    perform set_config('lock_timeout', '300ms', true);
    foreach parent in array array['outbox', 'inbox'] loop
        id_column := case parent when 'outbox' then 'id' else 'event_id' end;
        -- Whoever may call this may not fill the schema with tables.
        for step in -1 .. least(days_ahead, 60) loop
            day := (now() at time zone 'UTC')::date + step;
            partition := format('%s_%s', parent, to_char(day, 'YYYYMMDD'));
            continue when to_regclass(partition) is not null;
            lowest := first_id_at(day::timestamp at time zone 'UTC');
            above := first_id_at((day + 1)::timestamp at time zone 'UTC');
            begin
                -- Made beside and then attached, which holds up nobody who writes to other days.
                execute format('create table %I (like %I including defaults including constraints)', partition, parent);
                if parent = 'outbox' then
                    execute format(
                        'create unique index %I on %I (stream, incarnation, sequence) where published_at is not null',
                        partition || '_position_key', partition);
                end if;
                -- What was written on that day before it had a partition, as after a long standstill.
                execute format(
                    'with moved as (delete from %I where %I >= %L and %2$I < %4$L returning *) '
                    'insert into %I select * from moved',
                    parent || '_other_days', id_column, lowest, above, partition);
                execute format(
                    'alter table %I attach partition %I for values from (%L) to (%L)', parent, partition, lowest, above);
                made := made + 1;
            exception
                -- Readers that take long; or one more row of that day at the same time.
                when lock_not_available or check_violation then null;
            end;
        end loop;
    end loop;
    return made;
end
$$;

-- Drops the partition of a day that is over: of the outbox one whose events were all published more than a week ago, of
-- the inbox one whose events were all dealt with more than 35 days ago and none of which is a dead letter. Answers how
-- many it has dropped, one or none, so that its locks are held for one only. Inserts wait for it no longer than a third
-- of a second; what cannot be locked in that time stays for the next time.
create function drop_event_days() returns integer
language plpgsql volatile security definer set search_path from current as $$
declare
    found_partition record;
    needed boolean;
begin
    perform pg_advisory_xact_lock(hashtextextended('event days of ' || current_schema(), 0));
    for found_partition in
        select parent.relname as parent, child.relname as name,
            to_date(right(child.relname, 8), 'YYYYMMDD') as day
        from pg_inherits
        join pg_class child on child.oid = inhrelid
        join pg_class parent on parent.oid = inhparent
        where parent.oid in ('outbox'::regclass, 'inbox'::regclass) and child.relname ~ '_[0-9]{8}$'
        order by child.relname
    loop
        -- All that takes long is looked at before anything is locked.
        if found_partition.parent = 'outbox' then
            continue when found_partition.day >= (now() at time zone 'UTC')::date - 8;
            execute format(
                'select exists (select from %I where published_at is null) or exists (select from %1$I where '
                'published_at > now() - interval ''7 days'')', found_partition.name) into needed;
        else
            continue when found_partition.day >= (now() at time zone 'UTC')::date - 36;
            execute format(
                'select exists (select from %I where handled_at > now() - interval ''35 days'') or exists (select '
                'from dead_letters where event_id >= %L and event_id < %L)', found_partition.name,
                first_id_at(found_partition.day::timestamp at time zone 'UTC'),
                first_id_at((found_partition.day + 1)::timestamp at time zone 'UTC')) into needed;
        end if;
        continue when needed;
        begin
            -- Of the table itself, the partition, and the one for other days: three times.
            perform set_config('lock_timeout', '100ms', true);
            execute format('lock table only %I in access exclusive mode', found_partition.parent);
            if found_partition.parent = 'outbox' then
                -- One that was put back in the meantime.
                execute format('select exists (select from %I where published_at is null)', found_partition.name)
                    into needed;
            end if;
            if not needed then
                execute format('drop table %I', found_partition.name);
            end if;
            return case when needed then 0 else 1 end;
        exception when lock_not_available then
            return 0;
        end;
    end loop;
    return 0;
end
$$;

-- Events that a work consumer could not deal with, with all that is needed to do it later. The row is the truth; the
-- stream DEAD_LETTERS tells of it.
create table dead_letters (
    handler text not null,
    -- Of an event without an id, one made from its place.
    event_id uuid not null,
    event_type text not null,
    -- Null: it could not be read.
    aggregate_id uuid,
    stream text not null,
    incarnation timestamptz not null,
    sequence bigint not null,
    subject text not null,
    headers jsonb not null,
    body bytea not null,
    -- Why: it cannot be read; the handler has refused it; every attempt failed; one before it is a dead letter.
    reason text not null,
    -- The error with its causes.
    error text not null,
    attempts integer not null,
    parked_at timestamptz not null default clock_timestamp(),
    -- When, and in which incarnation of it, DEAD_LETTERS was told.
    announced_at timestamptz,
    announced_incarnation timestamptz,
    constraint dead_letters_pkey primary key (handler, event_id),
    constraint dead_letters_reason_check check (reason in ('unreadable', 'refused', 'exhausted', 'behind')),
    constraint dead_letters_attempts_check check (attempts >= 0)
);
create index dead_letters_event_idx on dead_letters (event_id);
create index dead_letters_aggregate_idx on dead_letters (handler, aggregate_id, sequence);
create index dead_letters_unannounced_idx on dead_letters (parked_at) where announced_at is null;

-- Handlers that take no events until an operator says so.
create table paused_handlers (
    handler text not null,
    paused_at timestamptz not null default clock_timestamp(),
    reason text not null,
    constraint paused_handlers_pkey primary key (handler)
);

-- Read models that have been built from their owner's snapshot.
create table built_read_models (
    model text not null,
    built_at timestamptz not null,
    constraint built_read_models_pkey primary key (model)
);

select make_event_days(8);

insert into outbox select * from outbox_before;
insert into inbox select * from inbox_before;
drop table outbox_before;
drop table inbox_before;
