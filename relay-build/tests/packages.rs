//! Packages through the library: what a configuration says is in them, and the same relay gives the same bytes. The
//! end-to-end tests install, start and build them.

use relay_build::{
    config::{Checked, Options, Source, check_text},
    driver::Manifest,
    package::{Kind, Naming, Outcome, PackageError, Request, package},
};
use std::{fs, path::Path};

const MANDATORY: &str = "instance = 'a'\nlog_level = 'info'\nbad_metrics_max_age = '24h'\nmax_procs = 1\n";

/// All that packages know of at once.
const EVERYTHING: &str = "\
listen_addr = ':203'\npickle_addr = '10.0.0.1:2013'\nmemory = '512MiB'\nshutdown_timeout = '7s'\n\
spool_dir = '/var/spool/relay'\nstate_dir = '${STATE}'\npid_file = '/run/graphite/relay.pid'\nmax_connections = 100\n\
[[aggregation]]\nfunction = 'sum'\nregex = '^a'\nformat = 'b'\ninterval = 10\nwait = 20\n\
[[route]]\nkey = 'r'\ntype = 'sendAllMatch'\ndestinations = ['${CARBON}:2003 spool=true', '${HOST}.example:2003', '${API_TOKEN}:1']\n";

const ROUTE: &str = "[[route]]\nkey = 'r'\ntype = 'sendAllMatch'\ndestinations = ['10.0.0.1:2003']\n";

fn checked(config: &str) -> Checked {
    let text = format!("{MANDATORY}{config}");
    let checked = check_text(Source { path: "relay.toml".into(), text }, &Options::default());
    assert!(!checked.has_errors(), "{:?}", checked.diagnostics);
    checked
}

/// Packages a small program that every machine has, as if it were the relay of this configuration.
fn pack(
    directory: &Path,
    config: &str,
    kinds: &[Kind],
    change: impl Fn(&mut Request<'_>),
) -> Result<Outcome, PackageError> {
    fs::copy("/bin/true", directory.join("relay")).unwrap();
    fs::write(directory.join("manifest.json"), "{}\n").unwrap();
    fs::write(directory.join("sbom.cdx.json"), "{}\n").unwrap();
    let manifest = Manifest {
        version: "0.1.0".to_owned(),
        plan_sha256: "0123456789abcdef".repeat(4),
        target: "x86_64-unknown-linux-gnu".to_owned(),
        ..Manifest::default()
    };
    let checked = checked(config);
    let mut request = Request {
        checked: &checked,
        manifest: &manifest,
        directory,
        kinds: kinds.to_vec(),
        naming: Naming {
            name: None,
            version: None,
            maintainer: "Ops <ops@example.org>".to_owned(),
            image: None,
        },
        time_s: 0,
    };
    change(&mut request);
    package(&request)
}

#[track_caller]
fn refused(config: &str, kind: Kind, change: impl Fn(&mut Request<'_>)) -> String {
    let directory = tempfile::tempdir().unwrap();
    let error = pack(directory.path(), config, &[kind], change).unwrap_err().to_string();
    assert!(!directory.path().join("package").exists(), "{error}");
    error
}

fn read(directory: &Path, path: &str) -> String {
    fs::read_to_string(directory.join("package").join(path)).unwrap()
}

#[test]
fn units_and_manifests_say_what_the_configuration_says() {
    let directory = tempfile::tempdir().unwrap();
    let outcome = pack(directory.path(), EVERYTHING, &[Kind::Kubernetes, Kind::Systemd], |_| {}).unwrap();
    assert!(outcome.notes.is_empty(), "{:?}", outcome.notes);
    let files = [
        "systemd/static-relay.service",
        "systemd/static-relay.socket",
        "systemd/static-relay.default",
        "k8s/statefulset.yaml",
        "k8s/service.yaml",
        "k8s/disruption-budget.yaml",
        "k8s/kustomization.yaml",
    ];
    let texts = files.map(|file| format!("== {file}\n{}", read(directory.path(), file)));
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn a_relay_that_keeps_nothing_gets_no_directories_and_no_variables() {
    let directory = tempfile::tempdir().unwrap();
    pack(
        directory.path(),
        &format!("listen_addr = ':2003'\n{ROUTE}"),
        &[Kind::Systemd, Kind::Kubernetes],
        |_| {},
    )
    .unwrap();
    let unit = read(directory.path(), "systemd/static-relay.service");
    for absent in ["StateDirectory", "BindPaths", "RuntimeDirectory", "Environment", "AmbientCapabilities"] {
        assert!(!unit.contains(absent), "{unit}");
    }
    let workload = read(directory.path(), "k8s/deployment.yaml");
    for absent in ["env:", "volume", "sysctls"] {
        assert!(!workload.contains(absent), "{workload}");
    }
    assert!(!directory.path().join("package/systemd/static-relay.default").exists());
}

#[test]
fn a_name_cannot_be_a_socket_of_systemd() {
    let directory = tempfile::tempdir().unwrap();
    pack(directory.path(), &format!("listen_addr = 'relay.example:203'\n{ROUTE}"), &[Kind::Systemd], |_| {})
        .unwrap();
    let unit = read(directory.path(), "systemd/static-relay.service");
    assert!(unit.contains("AmbientCapabilities=CAP_NET_BIND_SERVICE") && !unit.contains(".socket"), "{unit}");
    assert!(!directory.path().join("package/systemd/static-relay.socket").exists());
}

#[test]
fn the_same_relay_gives_the_same_bytes_and_old_packages_go() {
    let directory = tempfile::tempdir().unwrap();
    let made = |version: &str| {
        let named = |request: &mut Request<'_>| request.naming.version = Some(version.to_owned());
        let outcome = pack(directory.path(), EVERYTHING, &[Kind::Deb, Kind::Tar], named).unwrap();
        outcome.packages.into_iter().map(|one| (fs::read(&one.path).unwrap(), one.path)).collect::<Vec<_>>()
    };
    let (first, other, again) = (made("1"), made("2"), made("1"));
    assert_eq!(first, again);
    assert!(first[0].1.ends_with("package/deb/static-relay_1_amd64.deb"), "{:?}", first[0].1);
    assert!(!other[0].1.exists() && first[0].1.exists());
}

#[test]
fn what_cannot_be_packaged_is_refused_with_what_to_do() {
    let plain = format!("listen_addr = ':2003'\n{ROUTE}");
    let check = |error: String, wanted: &[&str]| {
        for part in wanted {
            assert!(error.contains(part), "{error}");
        }
    };
    check(refused(&plain, Kind::Docker, |_| {}), &["static", "--profile appliance"]);
    let named =
        |name: &'static str| move |request: &mut Request<'_>| request.naming.name = Some(name.to_owned());
    check(refused(&plain, Kind::Systemd, named("My Relay")), &["`My Relay`", "--package-name"]);
    let versioned = |request: &mut Request<'_>| request.naming.version = Some("v1".to_owned());
    check(refused(&plain, Kind::Deb, versioned), &["`v1`"]);
    check(refused(ROUTE, Kind::Kubernetes, |_| {}), &["the relay listens on no port"]);
    let open = format!("listen_addr = ':${{PORT}}'\n{ROUTE}");
    check(refused(&open, Kind::Kubernetes, |_| {}), &["`:${PORT}`"]);
    let pid = format!("pid_file = '/run/relay.pid'\n{plain}");
    check(refused(&pid, Kind::Systemd, |_| {}), &["`/run/relay.pid`"]);
    let size = format!("max_connections = '${{MANY}}'\n{plain}");
    check(refused(&size, Kind::Systemd, |_| {}), &["max_connections", "`memory`"]);
    let spool = "spool_dir = '/a b'\n[[route]]\nkey = 'r'\ntype = 'sendAllMatch'\ndestinations = ['10.0.0.1:1 spool=true']\n";
    check(refused(spool, Kind::Systemd, |_| {}), &["`spool_dir`", "`/a b`"]);
}
