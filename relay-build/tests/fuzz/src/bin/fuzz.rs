//! libFuzzer on one of the targets, named by `FUZZ_TARGET`. `.ci/fuzz` builds it with coverage and runs it.
#![no_main]

use fuzz_tests::{Target, target};
use std::sync::LazyLock;

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    target(&name).unwrap_or_else(|| panic!("FUZZ_TARGET=`{name}` is none of the targets"))
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| (TARGET.run)(data));
