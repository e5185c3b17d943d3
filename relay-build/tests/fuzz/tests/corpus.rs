//! Runs every input of the corpus, and small variations of it, against its fuzz target.
//!
//! The variations depend only on the input, so a failure can be repeated.

use fuzz_tests::{TARGETS, Target};
use std::{
    fs,
    panic::catch_unwind,
    path::{Path, PathBuf},
};

/// Variations of each file.
const VARIATIONS: u64 = 60;

/// Longer ones are run as they are only.
const VARIED_BYTES_MAX: usize = 4_096;

#[test]
fn lines() {
    run("lines");
}

#[test]
fn pickles() {
    run("pickle");
}

#[test]
fn spools() {
    run("spool");
}

#[test]
fn configurations() {
    run("config");
}

#[test]
fn commands() {
    run("commands");
}

fn run(name: &str) {
    let target = TARGETS.into_iter().find(|target| target.name == name).expect("a target");
    let files = files(name);
    assert!(files.len() >= 10, "{} files", files.len());
    for file in &files {
        let bytes = fs::read(file).expect("a file of the corpus can be read");
        check(target, &bytes, file, None);
        if bytes.len() <= VARIED_BYTES_MAX {
            for seed in 0..VARIATIONS {
                check(target, &varied(&bytes, seed), file, Some(seed));
            }
        }
    }
}

fn files(name: &str) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let entries = fs::read_dir(&directory).expect("every target has a corpus");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

fn check(target: Target, bytes: &[u8], file: &Path, seed: Option<u64>) {
    let done = catch_unwind(|| (target.run)(bytes));
    assert!(done.is_ok(), "{} with variation {seed:?}: {}", file.display(), bytes.escape_ascii());
}

/// A few small changes: a bit, a byte that means something, a piece left out or twice.
fn varied(bytes: &[u8], seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut below = |bound: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((state >> 33) % bound.max(1) as u64).unwrap_or(0)
    };
    let mut bytes = bytes.to_vec();
    for _ in 0..=below(3) {
        let at = below(bytes.len() + 1);
        let end = (at + 1 + below(8)).min(bytes.len());
        match below(5) {
            0 if at < bytes.len() => bytes[at] ^= 1 << below(8),
            1 if at < bytes.len() => bytes[at] = b"\0\n \".;=[]{}$\\\x80\xff0-"[below(17)],
            2 => bytes.insert(at, b"\0\n \".;=[]{}$\\\x80\xff0-"[below(17)]),
            3 if at < end => drop(bytes.drain(at..end)),
            _ if at < end => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => {}
        }
    }
    bytes
}
