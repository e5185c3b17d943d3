//! What commands print: answers on stdout, remarks on stderr.
//!
//! Nothing here panics. A reader of stdout that has gone away (`| head`) is no failure; a device that is full is one, and
//! the command says so. Remarks are given up where stderr takes none, since there is no place left to say so.

use anyhow::Context as _;
use std::{
    fmt,
    io::{self, Write as _},
};

/// Prints `text` on stdout as it is; colours are removed where they are not wanted.
pub(crate) fn answer(text: impl fmt::Display) -> anyhow::Result<()> {
    answered(write!(anstream::stdout().lock(), "{text}"))
}

/// Prints `text` and a newline on stdout.
pub(crate) fn answer_line(text: impl fmt::Display) -> anyhow::Result<()> {
    answer(format_args!("{text}\n"))
}

/// What writing to stdout came to, flushed: only a reader that has gone away is no failure.
pub(crate) fn answered(written: io::Result<()>) -> anyhow::Result<()> {
    match written.and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done.context("cannot write to standard output"),
    }
}

/// Prints `text` and a newline on stderr, if it takes any.
pub(crate) fn remark(text: impl fmt::Display) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}
