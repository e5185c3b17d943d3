//! Tests that `build --emit source` writes the same code every time, and that rustfmt does not change it.
//!
//! Whether the code compiles is tested in `compiled`.

use std::{fs, path::Path, process::Command};

#[test]
fn emitted_source_is_the_same_every_time_and_formatted() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let configs: Vec<_> = fs::read_dir(examples)
        .unwrap()
        .map(|entry| entry.unwrap().path().join("relay.toml"))
        .filter(|path| path.exists())
        .collect();
    assert!(configs.len() >= 3, "{configs:?}");
    for config in configs {
        let [first, second] = [emit(&config), emit(&config)];
        let sources = fs::read_dir(first.path().join("src")).unwrap();
        for source in sources.map(|entry| entry.unwrap().path()) {
            let other = second.path().join("src").join(source.file_name().unwrap());
            assert_eq!(fs::read(&source).unwrap(), fs::read(other).unwrap(), "{}", config.display());
        }
        let root = first.path().join("src/main.rs");
        let checked = Command::new("rustfmt").args(["--edition", "2024", "--check"]).arg(root).output();
        let checked = checked.unwrap();
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
    }
}

fn emit(config: &Path) -> tempfile::TempDir {
    let out = tempfile::tempdir().unwrap();
    let mut build = Command::new(env!("CARGO_BIN_EXE_relay-build"));
    build.arg("build").arg(config).args(["--emit", "source", "--out"]).arg(out.path());
    // An example with environments is built for one of them.
    if config.with_file_name("vars.prod.toml").exists() {
        build.args(["--env", "prod"]);
    }
    let built = build.output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    out
}
