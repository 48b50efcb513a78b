//! Who may depend on whom.

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

pub(crate) fn metadata() -> Metadata {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
    MetadataCommand::new().manifest_path(root).other_options(vec!["--locked".to_owned()]).exec().unwrap()
}

/// The folder of a member, from the root of the workspace: `services/booking`.
fn folder(metadata: &Metadata, package: &Package) -> String {
    let parent = package.manifest_path.parent().unwrap();
    parent.strip_prefix(&metadata.workspace_root).unwrap().to_string()
}

/// Whether the member in `from` may use the member in `to`.
fn may_depend(from: &str, to: &str, kind: DependencyKind) -> bool {
    // Tests may have servers and tables whatever they test, and those of services a mesh around them.
    let is_for_tests = |member: &str| ["shared/testkit", "shared/testmesh", "migrations"].contains(&member);
    if kind == DependencyKind::Development && is_for_tests(to) {
        return to != "shared/testmesh" || from.starts_with("services/");
    }
    match from {
        // The binary, the measurements and the harnesses put everything together.
        "services/petpro" | "bench" | "tests/faults" | "tests/stress" => to != "shared/testmesh",
        "subjects" | "shared/testkit" | "migrations" => false,
        // Whoever depends on it is a test.
        "shared/testmesh" => to == "subjects" || to.starts_with("shared/") || to == "migrations",
        _ => to == "subjects" || (to.starts_with("shared/") && !is_for_tests(to)),
    }
}

#[test]
fn services_know_only_the_contract_and_what_is_shared() {
    let metadata = metadata();
    let members = metadata.workspace_packages();
    let mut forbidden = Vec::new();
    for member in &members {
        let from = folder(&metadata, member);
        for dependency in &member.dependencies {
            let Some(target) = members.iter().find(|other| other.name.as_str() == dependency.name) else {
                continue;
            };
            let to = folder(&metadata, target);
            if dependency.path.is_some() && !may_depend(&from, &to, dependency.kind) {
                forbidden.push(format!("{from} -> {to} ({:?})", dependency.kind));
            }
        }
    }
    assert!(forbidden.is_empty(), "these dependencies break the layering:\n{}", forbidden.join("\n"));
}

#[test]
fn the_layering_rules_say_what_they_mean() {
    let normal = DependencyKind::Normal;
    let development = DependencyKind::Development;
    assert!(may_depend("services/booking", "subjects", normal));
    assert!(may_depend("services/booking", "shared/store", normal));
    assert!(!may_depend("services/booking", "services/vendor", normal));
    assert!(may_depend("tests/stress", "tests/faults", normal));
    assert!(!may_depend("services/booking", "services/vendor", development));
    assert!(!may_depend("services/booking", "shared/testkit", normal));
    assert!(may_depend("services/booking", "shared/testkit", development));
    assert!(!may_depend("services/booking", "migrations", normal));
    assert!(may_depend("services/booking", "shared/testmesh", development));
    assert!(!may_depend("services/booking", "shared/testmesh", normal));
    assert!(!may_depend("services/petpro", "shared/testmesh", normal));
    assert!(!may_depend("shared/store", "shared/testmesh", development));
    assert!(!may_depend("shared/testmesh", "services/booking", normal));
    assert!(!may_depend("shared/store", "services/booking", development));
    assert!(!may_depend("subjects", "shared/store", normal));
    assert!(may_depend("services/petpro", "services/booking", normal));
    assert!(may_depend("tests/faults", "shared/testkit", normal));
    assert!(!may_depend("services/booking", "tests/faults", development));
}

#[test]
fn a_crate_is_called_as_its_folder_is() {
    let metadata = metadata();
    for member in metadata.workspace_packages() {
        let folder = folder(&metadata, member);
        assert_eq!(folder.rsplit('/').next(), Some(member.name.as_str()));
    }
}
