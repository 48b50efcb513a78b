//! What a service is, to the type system: its name, and the calls that it has declared.

use subjects::{Fault, Request, RoleName};

/// The state of a service: its store, its configuration, whatever its handlers share.
pub trait App: DeclaredCalls + Send + Sync + 'static {
    /// The service's name, as it stands in [`subjects::catalogue::SERVICES`].
    const NAME: &'static str;

    /// Whether one of these roles, which those who run the platform have made, has a permission. Where a service does not
    /// know of roles, none has.
    ///
    /// # Errors
    /// It cannot be looked up right now.
    fn allows(&self, roles: &[RoleName], permission: &'static str) -> impl Future<Output = Result<bool, Fault>> + Send {
        let _nobody_has_any = (roles, permission);
        std::future::ready(Ok(false))
    }
}

/// The subjects that a service calls. Made by [`calls!`](crate::calls).
pub trait DeclaredCalls {
    /// The subjects, for NATS permissions and documents.
    fn declared_calls() -> Vec<&'static str>;
}

/// The service has declared that it calls `R`. Without it `cx.call(&R { … })` does not compile.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has not declared that it calls `{R}`",
    note = "add the request type to the service's `platform::calls!` list; its NATS permission comes from there"
)]
pub trait Calls<R: Request> {}

/// Declares what a service calls: `calls!(BookingApp => [VendorAvailability])`.
///
/// A call that is not in the list does not compile:
///
/// ```compile_fail,E0277
/// use subjects::auth::{CreateUser, ValidateToken};
/// struct Shop;
/// impl platform::App for Shop { const NAME: &'static str = "shop"; }
/// platform::calls!(Shop => [ValidateToken]);
/// async fn undeclared(cx: platform::Cx<Shop>, request: CreateUser) { let _reply = cx.call(&request).await; }
/// ```
///
/// and one that is in it does:
///
/// ```no_run
/// use subjects::auth::ValidateToken;
/// struct Shop;
/// impl platform::App for Shop { const NAME: &'static str = "shop"; }
/// platform::calls!(Shop => [ValidateToken]);
/// async fn declared(cx: platform::Cx<Shop>, request: ValidateToken) { let _reply = cx.call(&request).await; }
/// ```
#[macro_export]
macro_rules! calls {
    ($app:ty => [ $($request:ty),* $(,)? ]) => {
        $( impl $crate::Calls<$request> for $app {} )*
        impl $crate::DeclaredCalls for $app {
            fn declared_calls() -> Vec<&'static str> {
                vec![ $( <$request as $crate::__private::Request>::SUBJECT ),* ]
            }
        }
    };
}
