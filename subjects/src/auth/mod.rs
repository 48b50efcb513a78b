//! Messages of the auth service: accounts, sessions, users and roles.

mod account;
mod codes;
mod error;
mod events;
mod roles;
mod secret;
mod session;
mod users;

pub use account::{ActivateUser, ChangePassword, CreateUser, Register};
pub use codes::{
    CodePurpose, CodeToSend, FindCodeToSend, RequestCode, RequestedCode, ResetPassword, VerifiedCode, VerifyCode,
};
pub use error::AuthError;
pub use events::{
    NotificationKind, NotificationRequested, RequestedNotification, RevokedSession, RoleRemoved, RoleUpdated,
    SessionRevoked, StartedSession, UserLoggedIn, UserPasswordChanged, UserRegistered, UserState, UserUpdated,
};
pub use roles::{
    AssignRoles, CreateRole, FindPermissions, FindRole, FindRoles, PermissionDetails, RemoveRole, RoleDetails,
    RoleSnapshot, RoleState, UpdateRole,
};
pub use secret::{Code, NewPassword, Password, Token};
pub use session::{
    JsonWebKey, JsonWebKeySet, Jwks, Login, Logout, Me, Refresh, RevokeSession, Session, Sessions, TokenType, Tokens,
    ValidateToken, ValidatedToken,
};
pub use users::{FindUser, FindUsers, UpdateUser, User, UserSort, UserStatus};

use crate::audit::FindAuditEntries;
use crate::operation::{EventType, Operation};
use crate::privacy::{ErasePersonFromAuth, ExportPersonOfAuth};

const SERVICE: &str = "auth";

/// Every operation of the auth service.
pub const OPERATIONS: &[Operation] = &[
    Operation::of::<Register>(SERVICE),
    Operation::of::<CreateUser>(SERVICE),
    Operation::of::<ActivateUser>(SERVICE),
    Operation::of::<Login>(SERVICE),
    Operation::of::<Refresh>(SERVICE),
    Operation::of::<Logout>(SERVICE),
    Operation::of::<Me>(SERVICE),
    Operation::of::<ValidateToken>(SERVICE),
    Operation::of::<ChangePassword>(SERVICE),
    Operation::of::<RequestCode>(SERVICE),
    Operation::of::<VerifyCode>(SERVICE),
    Operation::of::<ResetPassword>(SERVICE),
    Operation::of::<FindCodeToSend>(SERVICE),
    Operation::of::<Sessions>(SERVICE),
    Operation::of::<RevokeSession>(SERVICE),
    Operation::of::<Jwks>(SERVICE),
    Operation::of::<FindUser>(SERVICE),
    Operation::of::<FindUsers>(SERVICE),
    Operation::of::<UpdateUser>(SERVICE),
    Operation::of::<FindRoles>(SERVICE),
    Operation::of::<FindRole>(SERVICE),
    Operation::of::<CreateRole>(SERVICE),
    Operation::of::<UpdateRole>(SERVICE),
    Operation::of::<RemoveRole>(SERVICE),
    Operation::of::<AssignRoles>(SERVICE),
    Operation::of::<FindPermissions>(SERVICE),
    Operation::of::<RoleSnapshot>(SERVICE),
    Operation::of::<ExportPersonOfAuth>(SERVICE),
    Operation::of::<ErasePersonFromAuth>(SERVICE),
    Operation::of::<FindAuditEntries>(SERVICE),
];

/// Every event type of the auth service.
pub const EVENTS: &[EventType] = &[
    EventType::of::<UserRegistered>(),
    EventType::of::<UserLoggedIn>(),
    EventType::of::<UserPasswordChanged>(),
    EventType::of::<UserUpdated>(),
    EventType::of::<SessionRevoked>(),
    EventType::of::<RoleUpdated>(),
    EventType::of::<RoleRemoved>(),
    EventType::of::<NotificationRequested>(),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Request;
    use schemars::schema_for;
    use serde_json::{Value, json};

    fn violations<R: Request>(message: Value) -> Vec<String> {
        let request: R = serde_json::from_value(message).unwrap();
        match request.validate() {
            Ok(()) => Vec::new(),
            Err(report) => report.iter().map(|(path, _)| path.to_string()).collect(),
        }
    }

    #[test]
    fn a_registration_is_checked_field_by_field() {
        let good = json!({"email": "sari@example.com", "password": "correct horse", "firstName": "Sari"});
        assert_eq!(violations::<Register>(good), Vec::<String>::new());

        let bad = json!({
            "email": "sari", "password": "short", "firstName": "", "phoneNumber": "call me",
        });
        let mut found = violations::<Register>(bad);
        found.sort();
        found.dedup();
        assert_eq!(found, ["email", "first_name", "password", "phone_number"]);
    }

    #[test]
    fn password_lengths_are_counted_in_characters() {
        let with_password = |password: String| {
            violations::<Register>(json!({"email": "a@example.com", "firstName": "A", "password": password}))
        };
        assert!(with_password("é".repeat(8)).is_empty());
        assert!(with_password("é".repeat(128)).is_empty());
        assert_eq!(with_password("é".repeat(7)), ["password"]);
        assert_eq!(with_password("é".repeat(129)), ["password"]);
    }

    #[test]
    fn the_schema_of_a_registration_names_the_bounds() {
        let schema = serde_json::to_value(schema_for!(Register)).unwrap();
        let password = schema.pointer("/properties/password").unwrap();
        assert_eq!(password.get("minLength"), Some(&json!(8)));
        assert_eq!(password.get("maxLength"), Some(&json!(128)));
        assert_eq!(password.get("format"), Some(&json!("password")));
        assert_eq!(schema.pointer("/required").unwrap(), &json!(["email", "password", "firstName"]));
    }

    #[test]
    fn older_field_names_are_understood() {
        let validate: ValidateToken = serde_json::from_value(json!({"accessToken": "t"})).unwrap();
        assert_eq!(validate.token.expose(), "t");
        let refresh: Refresh = serde_json::from_value(json!({"token": "t"})).unwrap();
        assert_eq!(refresh.refresh_token.expose(), "t");
        let change: ChangePassword = serde_json::from_value(json!({"oldPassword": "a", "password": "b"})).unwrap();
        assert_eq!((change.current_password.expose(), change.new_password.expose()), ("a", "b"));
        let assign: AssignRoles = serde_json::from_value(
            json!({"userId": "0190a000-0000-7000-8000-000000000001", "roles": ["user", "admin"]}),
        )
        .unwrap();
        assert_eq!(assign.roles, crate::Role::BUILT_IN);
    }

    #[test]
    fn secrets_are_not_printed() {
        let login: Login = serde_json::from_value(json!({"email": "a@example.com", "password": "hunter22"})).unwrap();
        assert!(!format!("{login:?}").contains("hunter22"));
    }

    #[test]
    fn an_update_tells_absent_from_null() {
        let id = "0190a000-0000-7000-8000-000000000001";
        let untouched: UpdateUser = serde_json::from_value(json!({"id": id})).unwrap();
        assert_eq!(untouched.last_name, None);
        let cleared: UpdateUser = serde_json::from_value(json!({"id": id, "lastName": null})).unwrap();
        assert_eq!(cleared.last_name, Some(None));
        assert_eq!(serde_json::to_value(&cleared).unwrap(), json!({"id": id, "lastName": null}));
        let set: UpdateUser = serde_json::from_value(json!({"id": id, "lastName": "Dewi"})).unwrap();
        assert_eq!(set.last_name, Some(Some("Dewi".to_owned())));
    }

    #[test]
    fn events_hold_no_personal_data() {
        let mut generator = schemars::SchemaGenerator::default();
        for event in EVENTS {
            (event.schema)(&mut generator);
        }
        let definitions = serde_json::to_string(&generator.take_definitions(true)).unwrap();
        for word in ["\"email\"", "Name\"", "\"phone"] {
            assert!(!definitions.contains(word), "an event has a field {word}");
        }
    }

    #[test]
    fn subjects_are_unique() {
        let mut names: Vec<&str> = OPERATIONS.iter().flat_map(|operation| operation.subjects()).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
