drop function drop_audit_entries(integer);
drop table audit_entries;
