//! What `petpro keys` makes, seals and says.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

/// A folder of keys in the making, and the files of key-encryption keys beside it.
struct Folder(tempfile::TempDir);

impl Folder {
    fn petpro(&self, arguments: &[&str], variables: &[(&str, &Path)]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_petpro"));
        command.args(arguments).current_dir(self.0.path()).env("PETPRO_KEYS__DIR", self.0.path().join("keys"));
        command.envs(variables.iter().copied()).output().unwrap()
    }

    /// What it prints; it must succeed.
    fn said(&self, arguments: &[&str], variables: &[(&str, &Path)]) -> String {
        let output = self.petpro(arguments, variables);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What it complains of; it must fail.
    fn refused(&self, arguments: &[&str], variables: &[(&str, &Path)]) -> String {
        let output = self.petpro(arguments, variables);
        assert!(!output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8(output.stderr).unwrap()
    }

    fn new_key(&self, name: &str) -> std::path::PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(
            &path,
            self.said(&["keys", "new-encryption-key"], &[("PETPRO_KEYS__X_FILE", Path::new("/nowhere"))]),
        )
        .unwrap();
        path
    }
}

#[test]
fn keys_are_sealed_from_the_start_and_sealed_anew_under_another_key() {
    let folder = Folder(tempfile::tempdir().unwrap());
    let told = folder.refused(&["keys"], &[]);
    assert!(told.contains("new-encryption-key") && told.contains("PETPRO_KEYS__ENCRYPTION_KEY_FILE"), "{told}");
    assert!(!folder.0.path().join("keys/auth.access.pem").exists());

    let (first, second) = (folder.new_key("first.key"), folder.new_key("second.key"));
    let under_first: [(&str, &Path); 1] = [("PETPRO_KEYS__ENCRYPTION_KEY_FILE", &first)];
    let under_second: [(&str, &Path); 1] = [("PETPRO_KEYS__ENCRYPTION_KEY_FILE", &second)];
    assert!(folder.said(&["keys"], &under_first).contains("auth.access.pem"));
    assert!(folder.said(&["keys"], &under_first).contains("everything is there already"));
    folder.said(&["token"], &under_first);
    let told = folder.refused(&["token"], &under_second);
    assert!(told.contains("is sealed under the key-encryption key") && told.contains("petpro keys seal"), "{told}");
    assert!(folder.refused(&["token"], &[]).contains("given is none"));

    let both: [(&str, &Path); 2] = [under_second[0], ("PETPRO_KEYS__PREVIOUS_ENCRYPTION_KEY_FILE", &first)];
    folder.said(&["token"], &both);
    assert!(folder.said(&["keys", "list"], &both).contains("is sealed under"));
    folder.said(&["keys", "seal"], &both);
    folder.said(&["token"], &under_second);
    folder.refused(&["token"], &under_first);
    let list = folder.said(&["keys", "list"], &under_second);
    assert!(list.contains("auth.access") && list.contains("nats/booking") && !list.contains("is not sealed"), "{list}");
    let secret = std::fs::read_to_string(&second).unwrap();
    let shown = folder.said(&["check-config"], &under_second);
    assert!(!shown.contains(secret.trim()), "check-config shows the key");
}

#[test]
fn what_is_not_sealed_is_said_and_sealed() {
    let folder = Folder(tempfile::tempdir().unwrap());
    let plain: [(&str, &Path); 1] = [("PETPRO_KEYS__ALLOW_PLAIN", Path::new("true"))];
    folder.said(&["keys"], &plain);
    assert!(folder.said(&["keys", "list"], &plain).contains("auth.access.pem is not sealed"));
    let key = folder.new_key("first.key");
    let sealed: [(&str, &Path); 1] = [("PETPRO_KEYS__ENCRYPTION_KEY_FILE", &key)];
    let told = folder.refused(&["token"], &sealed);
    assert!(told.contains("is not sealed: run `petpro keys seal`"), "{told}");
    assert!(folder.said(&["keys", "seal"], &sealed).contains("auth.access.pem"));
    folder.said(&["token"], &sealed);
}

#[test]
fn a_rotation_is_listed_and_the_users_of_nats_are_doubled_for_it() {
    let folder = Folder(tempfile::tempdir().unwrap());
    let plain: [(&str, &Path); 1] = [("PETPRO_KEYS__ALLOW_PLAIN", Path::new("true"))];
    folder.said(&["keys"], &plain);
    let users = |text: &str| text.matches("nkey: U").count();
    let before = users(&folder.said(&["nats-config"], &plain));
    assert!(folder.refused(&["keys", "rotate", "nobody"], &plain).contains("nobody has no keys"));
    assert!(folder.said(&["keys", "rotate", "booking"], &plain).contains("begun: booking.service"));
    assert!(folder.said(&["keys", "rotate", "booking"], &plain).contains("under way already: booking.service"));
    assert_eq!(users(&folder.said(&["nats-config"], &plain)), before + 1);
    let list: serde_json::Value = serde_json::from_str(&folder.said(&["keys", "list", "--json"], &plain)).unwrap();
    let states = |name: &str| -> Vec<&str> {
        let keys = list["keys"].as_array().unwrap().iter().filter(|key| key["name"] == name);
        keys.map(|key| key["state"].as_str().unwrap()).collect()
    };
    assert_eq!((states("booking.service"), states("nats/booking")), (vec!["active", "next"], vec!["active", "next"]));
    assert_eq!(states("auth.access"), ["active"]);

    let expires = |name: &str| {
        let keys = list["keys"].as_array().unwrap().iter().filter(|key| key["name"] == name);
        keys.filter(|key| key["expires_at"].is_string()).count()
    };
    assert_eq!(["tls/authority", "tls/booking", "tls/neighbour", "nats-server"].map(expires), [1; 4]);
    let said = folder.said(&["keys", "rotate", "ca"], &plain);
    assert!(said.contains("begun: tls/authority") && said.contains("Reload NATS now"), "{said}");
    let table = folder.said(&["keys", "list"], &plain);
    let rows = |name: &str| table.lines().filter(|line| line.split_whitespace().next() == Some(name)).count();
    assert_eq!(["tls/authority", "tls/booking", "nats-server"].map(rows), [2, 2, 1], "{table}");

    let too_short = [plain[0], ("PETPRO_KEYS__ROTATION_OVERLAP_SECONDS", Path::new("1"))];
    assert!(folder.refused(&["keys", "rotate"], &too_short).contains("PETPRO_KEYS__ROTATION_OVERLAP_SECONDS"));
    let given = folder.said(&["keys", "export", "--to", "given"], &plain);
    assert!(given.contains("given/neighbour.user.pem") && given.contains("given/nats/neighbour.nk"), "{given}");
    assert!(given.contains("given/nats/neighbour.cert.pem"), "{given}");
}

#[test]
fn the_old_authority_outlives_the_command_that_puts_the_new_one_into_use() {
    let folder = Folder(tempfile::tempdir().unwrap());
    let short: [(&str, &Path); 4] = [
        ("PETPRO_KEYS__ALLOW_PLAIN", Path::new("true")),
        ("PETPRO_KEYS__REFRESH_MS", Path::new("100")),
        ("PETPRO_KEYS__ROTATION_OVERLAP_SECONDS", Path::new("1")),
        ("PETPRO_KEYS__RETIRE_AFTER_SECONDS", Path::new("1")),
    ];
    let trusted = || {
        let bundle = std::fs::read_to_string(folder.0.path().join("keys/nats-server/authorities.pem")).unwrap();
        bundle.matches("BEGIN CERTIFICATE").count()
    };
    folder.said(&["keys"], &short);
    folder.said(&["keys", "rotate", "ca"], &short);
    // Late: the time of the old one is over, and nats-server has nothing of the new one yet.
    std::thread::sleep(Duration::from_secs(3));
    let said = folder.said(&["keys"], &short);
    assert_eq!((said.contains("forgotten"), trusted()), (false, 2), "{said}");
    std::thread::sleep(Duration::from_secs(3));
    let said = folder.said(&["keys"], &short);
    assert_eq!((said.contains("forgotten, its time is over: tls/authority"), trusted()), (true, 1), "{said}");
}
