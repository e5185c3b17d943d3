//! Packs the sources that relays are compiled from into relay-build, so that an installed one needs no checkout.
//!
//! It copies every source file of relay-runtime and every template into the program.

use std::{
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

fn main() {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let root = here.join("..").canonicalize().expect("the workspace");
    let mut files = ["Cargo.toml", "Cargo.lock", "relay-runtime/Cargo.toml"].map(PathBuf::from).to_vec();
    collect(&root, Path::new("relay-runtime/src"), &mut files);
    files.sort();
    let mut text = "&[\n".to_owned();
    for file in &files {
        let name = file.to_string_lossy();
        // Both paths are relative, so that another checkout with the same target directory reads its own
        // files.
        println!("cargo::rerun-if-changed=../{name}");
        let path = format!("concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/../{name}\")");
        writeln!(text, "    ({name:?}, include_bytes!({path})),").expect("a string takes everything");
    }
    text.push(']');
    // Run again if files are added or removed.
    println!("cargo::rerun-if-changed=../relay-runtime/src");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("sources.rs"), text).expect("cargo made the directory");
}

fn collect(root: &Path, directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(root.join(directory)).expect("the runtime's sources") {
        let entry = entry.expect("a file");
        let path = directory.join(entry.file_name());
        if entry.path().is_dir() {
            collect(root, &path, files);
        } else {
            files.push(path);
        }
    }
}
