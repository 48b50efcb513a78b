//! Roles and rights. Roles belong to the whole Postgres cluster, rights on a database to that database alone.

use crate::SERVICES;
use std::fmt;

/// A service's login role, to be made or brought up to date.
#[derive(Clone)]
pub struct ServiceLogin {
    /// The service; its schema has this name.
    pub service: String,
    /// The login role, see [`role_name`].
    pub role: String,
    /// The role's password from now on.
    pub password: String,
}

/// Without the password.
impl fmt::Debug for ServiceLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceLogin").field("service", &self.service).field("role", &self.role).finish_non_exhaustive()
    }
}

/// The name of a service's login role: `<prefix>_<service>`. The prefix names the environment, since roles are
/// shared by all databases of a Postgres cluster.
pub fn role_name(prefix: &str, service: &str) -> String {
    format!("{prefix}_{service}")
}

/// The statements that a database cloned from a migrated one needs: rights on a database are not cloned with it.
/// They are for the roles `<prefix>_<service>` of all [`SERVICES`], to be run by the admin.
pub fn grants_for_clone(database: &str, prefix: &str) -> Vec<String> {
    let roles: Vec<String> = SERVICES.iter().map(|service| role_name(prefix, service)).collect();
    grants_on_database(database, roles.iter().map(String::as_str))
}

/// Only the named roles (and the owner) may connect, and nobody may make schemas or temporary tables unasked.
pub(crate) fn grants_on_database<'a>(database: &str, roles: impl Iterator<Item = &'a str>) -> Vec<String> {
    let database = identifier(database);
    let mut statements = vec![format!("revoke all on database {database} from public")];
    statements.extend(roles.map(|role| format!("grant connect on database {database} to {}", identifier(role))));
    statements
}

/// Makes the login role where it is missing, takes from it what makes a role more than that, and sets its password.
/// An admin who is no superuser may not even name some of those attributes, so they are touched only where they are.
pub(crate) fn role_statements(login: &ServiceLogin) -> Vec<String> {
    let role = identifier(&login.role);
    let role_text = literal(&login.role);
    let create = format!(
        "do $role$ begin create role {role} login; exception when duplicate_object or unique_violation then null; \
         end $role$"
    );
    let lower = format!(
        "do $role$ begin if exists (select from pg_roles where rolname = {role_text} and (rolsuper or rolbypassrls \
         or rolcreatedb or rolcreaterole or rolreplication)) then alter role {role} nosuperuser nobypassrls \
         nocreatedb nocreaterole noreplication; end if; end $role$"
    );
    let set_password = format!("alter role {role} login password {}", literal(&login.password));
    vec![create, lower, set_password]
}

/// Rights of a service's role on its own schema, repeated after each migration for the tables that came with it.
/// The list of applied migrations is for reading only, and entries of the audit log are added and read: both go with the
/// other tables in one transaction, so that there is no moment in which more is allowed.
pub(crate) fn grants_on_schema(login: &ServiceLogin) -> Vec<String> {
    let schema = identifier(&login.service);
    let role = identifier(&login.role);
    vec![
        format!("revoke all on schema {schema} from public"),
        format!("grant usage on schema {schema}, ext to {role}"),
        format!(
            "grant select, insert, update, delete on all tables in schema {schema} to {role}; \
             revoke insert, update, delete on {schema}.seaql_migrations from {role}; \
             revoke update, delete on {schema}.audit_entries from {role}"
        ),
        format!("grant usage, select on all sequences in schema {schema} to {role}"),
    ]
}

/// A name as an SQL identifier.
pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Text as an SQL literal, whatever `standard_conforming_strings` says.
fn literal(text: &str) -> String {
    format!(" E'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_passwords_cannot_break_out_of_their_quotes() {
        assert_eq!(identifier("a\"; drop table b; --"), "\"a\"\"; drop table b; --\"");
        assert_eq!(literal("it's \\' here"), " E'it\\'s \\\\\\' here'");
    }

    #[test]
    fn a_clone_lets_in_the_services_only() {
        let statements = grants_for_clone("test_1", "petpro");
        assert_eq!(statements.len(), 1 + SERVICES.len());
        assert!(statements.contains(&"grant connect on database \"test_1\" to \"petpro_booking\"".to_owned()));
    }
}
