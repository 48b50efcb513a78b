drop table one_time_codes;
alter table users drop column email_verified_at;
