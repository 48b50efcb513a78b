//! The configurations that are shipped are ones that nats-server takes.

use std::path::Path;
use std::process::Command;

const NATS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../nats");

/// Files as in a container: the configuration below /etc, keys below /keys.
fn lay_out(root: &Path) {
    let (config, keys) = (root.join("etc/petpro"), root.join("keys/nats"));
    std::fs::create_dir_all(&config).unwrap();
    std::fs::create_dir_all(&keys).unwrap();
    for entry in std::fs::read_dir(NATS).unwrap().flatten() {
        // These paths do not depend on where the configuration lies, as includes do.
        let text = std::fs::read_to_string(entry.path()).unwrap();
        let here = text.replace("\"/keys/", &format!("\"{}/keys/", root.display()));
        std::fs::write(config.join(entry.file_name()), here).unwrap();
    }
    let certified = rcgen::generate_simple_self_signed(["nats".to_owned()]).unwrap();
    let (certificate, key) = (certified.cert.pem(), certified.signing_key.serialize_pem());
    std::fs::create_dir_all(root.join("keys/nats-server")).unwrap();
    std::fs::write(root.join("keys/nats-server/server.pem"), format!("{key}{certificate}")).unwrap();
    std::fs::write(root.join("keys/nats-server/authorities.pem"), certificate).unwrap();
    std::fs::write(keys.join("accounts.conf"), "").unwrap();
    let routes = "authorization { user: node, password: \"of-a-test\", timeout: 3 }\n\
                  routes: [\n\"nats://node:of-a-test@nats:6222\"\n\"nats://node:of-a-test@nats-2:6222\"\n]\n";
    std::fs::write(keys.join("cluster-routes.conf"), routes).unwrap();
}

fn check(file: &str, variables: &[(&str, &str)]) -> (bool, String) {
    let root = tempfile::tempdir().unwrap();
    lay_out(root.path());
    let venv = Path::new(NATS).join("../.venv/bin/nats-server");
    let program = if venv.is_file() { venv } else { "nats-server".into() };
    let output = Command::new(program)
        .arg("-t")
        .arg("--config")
        .arg(root.path().join("etc/petpro").join(file))
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn one_node_is_configured_as_nats_server_wants_it() {
    let (is_taken, said) = check("server.conf", &[("NATS_SERVER_NAME", "nats-1")]);
    assert!(is_taken, "{said}");
    assert!(!check("server.conf", &[]).0, "the name of the server is not asked for");
}

#[test]
fn a_node_of_three_is_configured_as_nats_server_wants_it() {
    let (is_taken, said) = check("cluster.conf", &[("NATS_SERVER_NAME", "nats-2")]);
    assert!(is_taken, "{said}");
}
