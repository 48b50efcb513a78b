-- What booking knows of schedules, and how it finds the bookings that a change of one can touch.

-- What older events did not tell is as the contract says where nothing is told.
alter table clinics
    add column name text not null default '',
    add column policy jsonb not null default '{}';
alter table services
    add column slot_step_minutes integer not null default 15,
    add column minimum_notice_minutes integer not null default 0,
    add column booking_window_days integer not null default 180;
alter table staff
    add column exceptions jsonb not null default '[]';

create index services_clinic_idx on services (clinic_id);
create index staff_clinic_ids_idx on staff using gin (clinic_ids jsonb_path_ops);

-- The bookings that a change of a vendor's schedule can touch, and those that it has been found to have touched.
create index bookings_open_idx on bookings (vendor_id, ends_at) where status in ('pending', 'confirmed');
create index bookings_schedule_changed_idx on bookings (id)
    where schedule_changed and not needs_check and status in ('pending', 'confirmed');
