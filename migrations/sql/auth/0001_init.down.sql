drop table login_attempts;
drop table refresh_tokens;
drop table sessions;
drop table user_roles;
drop table role_permissions;
drop table permissions;
drop table roles;
drop table users;
