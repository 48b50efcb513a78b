//! Who may do what in the mesh of a test.

use crate::keys::NOTIFIER;
use identity::keys::KeyStore;
use platform::permissions::{permissions, render};
use platform::{App, Declaration, Service};
use subjects::{Operation, Who, catalogue};

/// An identity that answers nothing.
struct Bystander;

impl App for Bystander {
    const NAME: &'static str = "bystander";
}

platform::calls!(Bystander => []);

fn bystander(name: &'static str) -> Declaration {
    Declaration { name, ..Service::<Bystander>::new().declaration() }
}

/// Whether the contract lets another service ask it.
fn is_for_services(operation: &&Operation) -> bool {
    operation.access.0.iter().any(|who| matches!(who, Who::Service | Who::Public))
}

/// The declarations of everybody. The service that is tested may do what it declares and no more. A test acts in the
/// place of all others: they may call what the contract lets services call, and tell their events; the edge may call what
/// has a route.
pub(crate) fn of_everybody(tested: &str, declared: &[Declaration]) -> Vec<Declaration> {
    let mut all = declared.to_vec();
    for service in catalogue::SERVICES.into_iter().chain([NOTIFIER]) {
        if !all.iter().any(|declaration| declaration.name == service) {
            all.push(bystander(service));
        }
    }
    for declaration in all.iter_mut().filter(|declaration| declaration.name != tested) {
        let calls = catalogue::operations().filter(is_for_services);
        declaration.calls.extend(calls.flat_map(Operation::subjects));
        declaration.publishes_events = true;
    }
    if !all.iter().any(|declaration| declaration.name == "edge") {
        let routed = catalogue::operations().filter(|operation| !operation.rest.is_empty());
        all.push(Declaration { calls: routed.flat_map(Operation::subjects).collect(), ..bystander("edge") });
    }
    all
}

/// The accounts of the nats-server.
pub(crate) fn accounts(declarations: &[Declaration], keys: &KeyStore) -> String {
    render(&permissions(declarations), |identity| keys.nats_public_keys()[identity].clone())
}
