drop table familiar_addresses;
drop table attempt_brakes;
