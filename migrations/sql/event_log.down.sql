drop table built_read_models;
drop table paused_handlers;
drop table dead_letters;
drop function drop_event_days();
drop function make_event_days(integer);

alter table outbox rename to outbox_by_day;
alter table outbox_by_day rename constraint outbox_pkey to outbox_by_day_pkey;
alter index outbox_unpublished_aggregate_idx rename to outbox_by_day_unpublished_aggregate_idx;
alter table inbox rename to inbox_by_day;
alter table inbox_by_day rename constraint inbox_pkey to inbox_by_day_pkey;

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
create table inbox (
    handler text not null,
    event_id uuid not null,
    handled_at timestamptz not null default clock_timestamp(),
    constraint inbox_pkey primary key (handler, event_id)
);
create index inbox_handled_at_idx on inbox (handled_at);

insert into outbox select * from outbox_by_day;
insert into inbox select * from inbox_by_day;
drop table outbox_by_day;
drop table inbox_by_day;
drop function first_id_at(timestamptz);
