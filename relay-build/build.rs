//! Packs the sources that relays are compiled from into relay-build, so that an installed one needs no checkout.
//!
//! They are found through the links in `packed/`, which `cargo package` replaces by what they lead to: a published
//! relay-build has them too.

use std::{
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// Files by their names in a workspace, and in `packed/`.
const FILES: [(&str, &str); 3] = [
    ("Cargo.toml", "workspace.toml"),
    ("Cargo.lock", "workspace.lock"),
    // Under its own name it would make a package of the directory, which cargo leaves out.
    ("relay-runtime/Cargo.toml", "runtime.toml"),
];

fn main() {
    let packed = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("packed");
    let mut files = FILES.map(|(name, at)| (name.to_owned(), at.to_owned())).to_vec();
    collect(&packed, Path::new("runtime"), &mut files);
    files.sort();
    let mut text = "&[\n".to_owned();
    for (name, at) in &files {
        // Both relative, so that another checkout with the same target directory is looked at, not the one of last time.
        println!("cargo::rerun-if-changed=packed/{at}");
        let path = format!("concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/packed/{at}\")");
        writeln!(text, "    ({name:?}, include_bytes!({path})),").expect("a string takes everything");
    }
    text.push(']');
    // For files that come and go.
    println!("cargo::rerun-if-changed=packed/runtime");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("sources.rs"), text).expect("cargo made the directory");
}

/// Adds the files under `directory`, which is the runtime's `src`.
fn collect(packed: &Path, directory: &Path, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(packed.join(directory)).expect("the runtime's sources") {
        let entry = entry.expect("a file");
        let path = directory.join(entry.file_name());
        if entry.path().is_dir() {
            collect(packed, &path, files);
        } else {
            let at = path.to_string_lossy().into_owned();
            files.push((at.replacen("runtime", "relay-runtime/src", 1), at));
        }
    }
}
