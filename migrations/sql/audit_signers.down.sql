drop index audit_entries_outcome_idx;
alter table audit_entries drop column signed_by;
