//! What people type, and what they are told.

use std::process::{Command, Output, Stdio};

fn petpro(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_petpro"));
    command.args(arguments).current_dir(folder.path()).envs(variables.iter().copied());
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn secrets_may_come_from_files_and_are_never_shown() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "postgres://admin:s3cret@db/petpro\n").unwrap();
    let path = file.path().to_str().unwrap();
    let shown = petpro(&["check-config"], &[("PETPRO_MIGRATE__ADMIN_URL_FILE", path)]);
    assert!(shown.status.success(), "{}", text(&shown.stderr));
    assert!(text(&shown.stdout).contains("REDACTED") && !text(&shown.stdout).contains("s3cret"));
}

#[test]
fn whoever_stops_reading_is_no_failure() {
    for arguments in [&["openapi"][..], &["asyncapi"], &["nats-config", "--variables"], &["check-config"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_petpro"));
        command.args(arguments).env("PETPRO_CONFIG", "/dev/null").stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // Nobody reads at all, which is less than `| head -1` does.
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        assert_eq!(text(&output.stderr), "", "{arguments:?}");
    }
}

#[test]
fn every_bad_setting_is_named_with_its_variable_before_anything_connects() {
    let bad = [("PETPRO_NATS__URL", "here"), ("PETPRO_EDGE__LISTEN", "there"), ("PETPRO_NAST__URL", "nats://x")];
    for command in ["check-config", "run"] {
        let refused = petpro(&[command], &bad);
        assert!(!refused.status.success());
        for (variable, _) in bad {
            let section = variable.split("__").next().unwrap();
            assert!(text(&refused.stderr).contains(section), "{variable} is not named: {}", text(&refused.stderr));
        }
    }
}

#[test]
fn what_is_missing_is_said_with_what_to_do() {
    let no_keys = petpro(&["token"], &[]);
    assert!(!no_keys.status.success());
    assert!(text(&no_keys.stderr).contains("petpro keys"), "{}", text(&no_keys.stderr));
    let unknown = petpro(&["run", "bookings"], &[]);
    assert!(
        text(&unknown.stderr).contains("auth, profile, vendor, booking, catalog, edge"),
        "{}",
        text(&unknown.stderr)
    );
}
