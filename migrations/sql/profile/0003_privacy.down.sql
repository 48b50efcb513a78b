drop table privacy_parts;
drop table privacy_requests;
drop table person_keys;
