//! Versions of a service side by side. A replica is stable, as long as nothing is said, and takes the requests to its
//! service; one of another version takes only what NATS sends to that version. NATS does so by mapping a share of the
//! requests to subjects of the version ([`Traffic`](crate::Traffic)), so that whoever asks need not know of it.
//!
//! What operators ask (`ops.…`) is not shared out: replicas of any version answer it alike.

use garde::Validate;
use serde::Deserialize;
use subjects::{Operation, catalogue};

/// The version that a replica has of which nothing is said. While a service's requests are shared out, this name leads to
/// its stable replicas, whatever their share is.
pub const STABLE: &str = "stable";

const LONGEST: usize = 32;

/// The section `traffic`: what requests the services of this process take.
#[derive(Debug, Clone, Default, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct TrafficConfig {
    /// Only those that `petpro traffic` gives to this version; those of the stable version when not given.
    #[garde(inner(custom(named)))]
    pub version: Option<String>,
}

fn named(version: &str, _: &()) -> garde::Result {
    check(version).map_err(garde::Error::new)
}

/// Whether a version may be called so: the name is a part of subjects.
pub(crate) fn check(version: &str) -> Result<(), String> {
    let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    if version == STABLE {
        return Err(format!("{STABLE} is the version of replicas of which nothing is said"));
    }
    if !version.is_empty() && version.len() <= LONGEST && version.chars().all(is_plain) {
        return Ok(());
    }
    Err(format!("{version:?} is no name of a version: small letters, digits and -, {LONGEST} at the most"))
}

/// Whether requests to an operation are shared out among versions.
pub(crate) fn is_shared_out(operation: &Operation) -> bool {
    !operation.subject.starts_with("ops.")
}

/// Where a version of a service is asked.
pub(crate) fn version_subject(service: &str, version: &str, subject: &str) -> String {
    format!("version.{service}.{version}.{subject}")
}

/// What a service itself may do with the subjects of its versions, for its permissions.
pub(crate) fn of_service(service: &str) -> String {
    format!("version.{service}.>")
}

/// Where NATS may send what whoever may ask these subjects asks, for its permissions.
pub(crate) fn of_asked(asked: &[&str], in_all_forms: bool) -> Vec<String> {
    let mut versions = Vec::new();
    for operation in catalogue::operations().filter(|operation| is_shared_out(operation)) {
        let subjects: Vec<&str> = operation.subjects().filter(|subject| asked.contains(subject)).collect();
        versions.extend(subjects.iter().map(|subject| version_subject(operation.service, "*", subject)));
        if in_all_forms {
            let commands = subjects.iter().map(|subject| subjects::operation::command_subject(subject));
            versions.extend(commands.map(|command| version_subject(operation.service, "*", &command)));
        }
    }
    versions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn a_version_is_a_plain_word_and_not_stable() {
        let read = |version: &str| {
            Settings::from_toml(&format!("[traffic]\nversion = {version:?}")).section::<TrafficConfig>("traffic")
        };
        for good in ["v2", "2027-03-01", "b"] {
            assert_eq!(read(good).unwrap().version.as_deref(), Some(good));
        }
        for bad in ["", "V2", "v.2", "v*", ">", "v 2", "stable", &"v".repeat(33)] {
            let said = read(bad).unwrap_err().to_string();
            assert!(said.starts_with("PETPRO_TRAFFIC__VERSION: "), "{said}");
        }
        assert_eq!(Settings::from_toml("").section::<TrafficConfig>("traffic").unwrap().version, None);
    }

    #[test]
    fn whoever_may_ask_may_be_sent_to_any_version_of_it_and_of_nothing_else() {
        assert_eq!(of_asked(&["booking.create"], false), ["version.booking.*.booking.create"]);
        assert_eq!(
            of_asked(&["get-booking", "ops.booking.outboxStatus", "unknown"], true),
            ["version.booking.*.get-booking", r#"version.booking.*.{"cmd":"get-booking"}"#]
        );
    }
}
