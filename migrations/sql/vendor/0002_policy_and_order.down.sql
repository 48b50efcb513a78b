create index memberships_vendor_index on memberships (vendor_id, id);
drop index memberships_vendor_created_index;
drop index staff_created_index;
drop index clinic_services_duration_index;
drop index clinic_services_price_index;
drop index vendors_created_index;
drop index vendors_name_index;
alter table staff drop column exceptions;
alter table clinic_services
    drop column slot_step_minutes,
    drop column minimum_notice_minutes,
    drop column booking_window_days;
alter table clinics
    drop column confirm_within_minutes,
    drop column cancel_notice_minutes,
    drop column cancel_fee_percent,
    drop column reschedule_notice_minutes,
    drop column reschedule_fee_percent;
