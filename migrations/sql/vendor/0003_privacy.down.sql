drop index memberships_person_index;
drop index registrations_user_index;
drop index staff_user_index;
