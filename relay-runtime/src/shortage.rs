//! Recognises errors that mean that no file descriptor is left, in this process or on this machine, and adds
//! what to do.
//!
//! Such an error is temporary and says nothing about the file or peer with which it occurred. So code that
//! gets one keeps its state and tries again.

use rustix::io::Errno;
use std::{fmt, io};

/// An error with what to do about it, if descriptors are short.
#[derive(Debug)]
pub(crate) struct Explained<'a>(pub(crate) &'a io::Error);

/// Whether no descriptor is left.
pub(crate) fn is_shortage(error: &io::Error) -> bool {
    advice(error).is_some()
}

/// What to do if no descriptor is left; `None` for every other error.
pub(crate) fn advice(error: &io::Error) -> Option<&'static str> {
    match Errno::from_io_error(error)? {
        Errno::MFILE => Some(
            "every file descriptor of this process is taken: raise its limit (`ulimit -n`, `LimitNOFILE=` of a service), or lower `max_connections`",
        ),
        Errno::NFILE => Some(
            "every file descriptor of this machine is taken: raise `fs.file-max` with sysctl, or end the process that has most of them",
        ),
        _ => None,
    }
}

impl fmt::Display for Explained<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)?;
        match advice(self.0) {
            Some(advice) => write!(f, "; {advice}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortage_says_which_limit_to_raise() {
        let said = |error: Errno| Explained(&error.into()).to_string();
        assert!(said(Errno::MFILE).contains("`LimitNOFILE="), "{}", said(Errno::MFILE));
        assert!(said(Errno::NFILE).contains("`fs.file-max`"), "{}", said(Errno::NFILE));
        assert_eq!(said(Errno::CONNREFUSED), io::Error::from(Errno::CONNREFUSED).to_string());
        assert!(!is_shortage(&io::ErrorKind::NotFound.into()));
    }
}
