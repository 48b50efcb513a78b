-- The audit log: who asked for what that is sensitive, about whom or what, from where, and how it ended. Ids and networks,
-- nothing else that is personal. A service's role may add entries and read them, not change or remove them: see
-- `migrations/src/access.rs`.
--
-- One table, not one a day: entries are few beside events, and are kept for more than a year.
create table audit_entries (
    -- Of version 7: the time in it is when it was asked.
    id uuid not null,
    operation text not null,
    outcome text not null,
    -- Why it was refused, or failed.
    reason text,
    -- Null: nobody was signed in.
    actor_id uuid,
    session_id uuid,
    subject_id uuid,
    -- The service that asked, or passed it on.
    via text,
    network text,
    correlation_id text not null,
    details jsonb,
    constraint audit_entries_pkey primary key (id),
    constraint audit_entries_outcome_check check (outcome in ('done', 'refused', 'failed'))
);
create index audit_entries_actor_idx on audit_entries (actor_id, id) where actor_id is not null;
create index audit_entries_subject_idx on audit_entries (subject_id, id) where subject_id is not null;
create index audit_entries_operation_idx on audit_entries (operation, id);

-- Drops entries that are older than so many days, some thousand at a time, and answers how many. It is the only way in which
-- a service's role can be rid of any, so it does not touch what is younger than 90 days, whatever it is asked for.
create function drop_audit_entries(keep_days integer) returns integer
language plpgsql volatile security definer set search_path from current as $$
declare
    dropped integer;
begin
    delete from audit_entries where id in (
        select id from audit_entries
        where id < first_id_at(now() - make_interval(days => greatest(keep_days, 90)))
        order by id limit 5000);
    get diagnostics dropped = row_count;
    return dropped;
end
$$;
