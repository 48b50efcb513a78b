drop table memberships, staff, service_availability, services, clinics, vendors;
drop function release_session, claim_session, lock_staff;
drop table booking_changes;
drop function refuse_to_rewrite_history;
drop table bookings, sessions;
