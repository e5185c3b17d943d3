//! Checks manifests against the published schemas of Kubernetes, in which an unknown field is an error, and
//! against each other.
//!
//! There is no cluster here, so they are not applied.

use crate::{peers, relay};
use std::{fs, path::Path, process::Command};

/// The oldest and the newest that they must fit.
const VERSIONS: [&str; 2] = ["1.30", "1.37"];

#[track_caller]
fn check(config: &str, kind: &str) {
    let directory = tempfile::tempdir().unwrap();
    let mandatory = "instance = '${HOST}'\nlog_level = 'info'\nbad_metrics_max_age = '24h'\n";
    let relay = relay::build(directory.path(), &format!("{mandatory}{config}"), &["--package", "k8s"]);
    let manifests = relay.with_file_name("package").join("k8s");
    let python = |program: &Path, arguments: &[&str]| {
        let mut command = Command::new(peers::directory().join("venv/bin").join(program));
        let output = command.args(arguments).current_dir(&manifests).output().expect("Python runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        said
    };
    let files =
        fs::read_dir(&manifests).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    // Kustomize's own file is no object of the server's.
    let files: Vec<_> = files.filter(|name| name != "kustomization.yaml").collect();
    for version in VERSIONS {
        let mut arguments = vec!["--strict", "-k", version];
        arguments.extend(files.iter().map(String::as_str));
        python("kubernetes-validate".as_ref(), &arguments);
    }
    let fits = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/kubernetes.py");
    assert_eq!(python("python".as_ref(), &[fits, "."]), format!("{kind} fits\n"));
}

#[test]
#[ignore = "compiles a relay, needs the peers that .ci/peers installs"]
fn manifests_are_what_kubernetes_takes_and_fit_each_other() {
    let route = "[[route]]\nkey = 'r'\ntype = 'sendAllMatch'\ndestinations = ['${CARBON}:2003']\n";
    check(&format!("listen_addr = ':2003'\nmax_procs = 2\n{route}"), "Deployment");
    check(
        &format!(
            "listen_addr = ':203'\npickle_addr = ':2013'\nmemory = '512MiB'\nspool_dir = '/var/spool/graphite'\n\
             pid_file = '/run/graphite/relay.pid'\n{}",
            route.replace("2003'", "2003 spool=true', '${API_TOKEN}:1'")
        ),
        "StatefulSet",
    );
}
