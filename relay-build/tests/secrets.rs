//! Tests that only the owner can read files that are built from a configuration with a secret.
//!
//! Without a secret, the usual file mask applies.

use relay_build::{
    config::{Checked, Options, Source, check_text},
    driver::{BuildOptions, Emit, build},
};
use std::{fs, os::unix::fs::PermissionsExt, path::Path};

const SECRET: &str = "hunter2-of-the-test";

fn check(more: &str) -> Checked {
    let text = format!(
        "instance = 'i'\nlog_level = 'info'\nbad_metrics_max_age = '1h'\n{more}\n\
         [[route]]\ntype = 'sendAllMatch'\ndestinations = ['127.0.0.1:2103']\n"
    );
    let checked = check_text(Source { path: "relay.toml".into(), text }, &Options::default());
    assert!(!checked.has_errors(), "{:?}", checked.diagnostics);
    checked
}

/// The files that have the secret in them, with what others may do with them.
fn files(directory: &Path, found: &mut Vec<(String, u32)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if String::from_utf8_lossy(&fs::read(&path).unwrap()).contains(SECRET) {
            found.push((
                path.display().to_string(),
                fs::metadata(&path).unwrap().permissions().mode() & 0o077,
            ));
        }
    }
}

#[track_caller]
fn assert_private(directory: &Path, expected: &str) {
    let mut found = Vec::new();
    files(directory, &mut found);
    assert!(found.iter().any(|(path, _)| path.ends_with(expected)), "{expected}: {found:?}");
    assert!(found.iter().all(|(_, others)| *others == 0), "{found:?}");
}

#[test]
fn sources_with_a_secret_in_them_are_for_their_owner_only() {
    let route = format!(
        "[[route]]\ntype = 'grafanaNet'\naddr = 'https://h/metrics'\napiKey = '{SECRET}'\nschemasFile = 's'\n"
    );
    let out = tempfile::tempdir().unwrap();
    // Sources of an earlier build, which everybody may read, give way.
    fs::create_dir_all(out.path().join("src")).unwrap();
    fs::write(out.path().join("src/main.rs"), "").unwrap();
    let options = BuildOptions { emit: Emit::Source, ..BuildOptions::new(out.path()) };
    build(&check(&route), &options, |_| {}).unwrap();
    assert_private(out.path(), "main.rs");
}

#[test]
#[ignore = "compiles a relay"]
fn an_artifact_with_a_secret_in_it_is_for_its_owner_only() {
    let out = tempfile::tempdir().unwrap();
    fs::write(out.path().join("inputs.json"), "{}").unwrap();
    let amqp = format!("[amqp]\namqp_password = '{SECRET}'\n");
    build(&check(&amqp), &BuildOptions::new(out.path()), |_| {}).unwrap();
    assert_private(out.path(), "inputs.json");
}
