-- The order of lists.
create index users_created_at_idx on users (created_at, id);
