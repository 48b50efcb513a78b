//! What the auth service refuses.

use crate::error::Violation;
use crate::service_error;
use crate::service_error::RetryAfterMs;

service_error! {
    /// What the auth service refuses.
    pub enum AuthError {
        /// E-mail address and password do not belong together. Says nothing of whether the account exists.
        InvalidCredentials = Unauthenticated, "invalid_credentials", "the e-mail address or the password is wrong";
        /// The password was right, but the account is inactive or suspended.
        AccountNotActive = Forbidden, "account_not_active", "this account is not active";
        /// The refresh token is unknown, expired, or of an ended session.
        InvalidRefreshToken = Unauthenticated, "invalid_refresh_token", "the refresh token is not valid; sign in again";
        /// The refresh token had been spent before. Its session has been ended, for it may be stolen.
        RefreshTokenReused = Unauthenticated, "refresh_token_reused",
            "the refresh token was used before; the session has been ended, sign in again";
        /// The access token does not hold: wrong, expired, or of an ended session.
        InvalidToken = Unauthenticated, "invalid_token", "the token is not valid";
        /// The current password that was shown is not right.
        WrongPassword = Forbidden, "wrong_password", "the current password is wrong";
        /// Too many passwords or codes were wrong, for this account or from this address. Says nothing of whether the
        /// account exists.
        TooManyAttempts(wait: RetryAfterMs) = RateLimited, "too_many_attempts",
            "too many attempts: wait for a while before the next one";
        /// The one-time code is wrong, expired, used, or was shown wrong too often; or there never was one.
        InvalidCode = Unauthenticated, "invalid_code", "the code is not valid; ask for another one";
        /// The token for another password is unknown, expired or used.
        InvalidResetToken = Unauthenticated, "invalid_reset_token",
            "the token for another password is not valid; ask for another code";
        /// There is no such code to be sent any more.
        CodeNotFound = NotFound, "code_not_found", "there is no such code";
        /// Another account has this e-mail address.
        EmailTaken = Conflict, "email_taken", "an account with this e-mail address exists already";
        /// There is no such user, or a pending one that has expired.
        UserNotFound = NotFound, "user_not_found", "there is no such user";
        /// There is no such role.
        RoleNotFound = NotFound, "role_not_found", "there is no such role";
        /// A role has this name, or one that is built in does.
        RoleNameTaken = Conflict, "role_name_taken", "a role has this name already";
        /// What is built in stays as it is.
        RoleBuiltIn = Conflict, "role_built_in", "this role is built in and cannot be changed or removed";
        /// Somebody has the role.
        RoleInUse = Conflict, "role_in_use", "somebody has this role: take it from everybody first";
        /// There are as many as there may be.
        TooManyRoles = Conflict, "too_many_roles", "there are as many roles as there may be";
        /// Whoever gives something has to have it.
        BeyondOwnPermissions(beyond: Vec<Violation>) = Forbidden, "beyond_own_permissions",
            "you cannot give or take permissions that you do not have yourself";
        /// Nobody would be left who runs the platform.
        LastPlatformAdmin = Conflict, "last_platform_admin",
            "this is the last account that runs the platform: somebody else has to do so first";
        /// The caller has no such session.
        SessionNotFound = NotFound, "session_not_found", "there is no such session";
    }
}
