-- What is kept of a person is found by the person.
create index staff_user_index on staff (user_id) where user_id is not null;
create index registrations_user_index on registrations (user_id);
create index memberships_person_index on memberships (user_id, id);
