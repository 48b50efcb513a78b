-- Rules for bookings; the defaults are those of the contract, so that rows without them mean what they meant.
alter table clinics
    add column confirm_within_minutes       integer not null default 1440,
    add column cancel_notice_minutes        integer not null default 0,
    add column cancel_fee_percent           integer not null default 0,
    add column reschedule_notice_minutes    integer not null default 0,
    add column reschedule_fee_percent       integer not null default 0,
    add constraint clinics_confirm_within_check check (confirm_within_minutes between 5 and 20160),
    add constraint clinics_notices_check check (cancel_notice_minutes between 0 and 43200 and reschedule_notice_minutes between 0 and 43200),
    add constraint clinics_fees_check check (cancel_fee_percent between 0 and 100 and reschedule_fee_percent between 0 and 100);

alter table clinic_services
    add column slot_step_minutes        integer not null default 15,
    add column minimum_notice_minutes   integer not null default 0,
    add column booking_window_days      integer not null default 180,
    add constraint clinic_services_slot_step_check check (slot_step_minutes between 5 and 1440),
    add constraint clinic_services_notice_check check (minimum_notice_minutes between 0 and 43200),
    add constraint clinic_services_window_check check (booking_window_days between 1 and 730);

alter table staff
    -- The dates on which they work otherwise than usual, as the contract writes them.
    add column exceptions jsonb not null default '[]';

-- The orders of lists. Those of one clinic or person are short enough to be sorted.
create index vendors_name_index on vendors (name, id);
create index vendors_created_index on vendors (created_at, id);
create index clinic_services_price_index on clinic_services (price_amount, id);
create index clinic_services_duration_index on clinic_services (duration_minutes, id);
create index staff_created_index on staff (created_at, id);
create index memberships_vendor_created_index on memberships (vendor_id, created_at, id);
drop index memberships_vendor_index;
