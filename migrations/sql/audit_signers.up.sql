-- Who has signed for the actor of an entry: edge, operator or neighbour. Null: nobody was signed in, or the entry is older.
alter table audit_entries add column signed_by text;
-- What was refused or failed is looked for among many that were done.
create index audit_entries_outcome_idx on audit_entries (outcome, id) where outcome <> 'done';
