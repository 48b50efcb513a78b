drop table bookings;
drop table pet_records;
drop function refuse_to_rewrite_records();
drop table pet_shares;
drop table pets;
drop table addresses;
drop table preferences;
drop table profiles;
