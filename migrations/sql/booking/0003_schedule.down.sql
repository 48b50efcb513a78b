drop index bookings_schedule_changed_idx;
drop index bookings_open_idx;
drop index staff_clinic_ids_idx;
drop index services_clinic_idx;
alter table staff drop column exceptions;
alter table services drop column booking_window_days, drop column minimum_notice_minutes, drop column slot_step_minutes;
alter table clinics drop column policy, drop column name;
