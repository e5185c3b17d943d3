//! The address at which a relay and a recorder connect: an abstract Unix socket named after the process and its
//! plan.
//!
//! `/proc/net/unix` lists these sockets, so a recorder finds all relays of the machine.

use std::{
    fs, io,
    os::{linux::net::SocketAddrExt as _, unix::net::SocketAddr},
};

const PREFIX: &str = "static-relay/";

/// A relay that can be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) pid: u32,
    /// The fingerprint of its plan.
    pub(super) fingerprint: u32,
}

impl Name {
    pub(super) fn new(pid: u32, plan: &str) -> Self {
        Self { pid, fingerprint: crc32fast::hash(plan.as_bytes()) }
    }

    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        SocketAddr::from_abstract_name(format!("{PREFIX}{}/{:08x}", self.pid, self.fingerprint))
    }

    /// Parses a line of `/proc/net/unix`; see unix(7) and proc(5).
    fn read(line: &str) -> Option<Self> {
        let name = line.split_whitespace().last()?.strip_prefix('@')?.strip_prefix(PREFIX)?;
        let (pid, fingerprint) = name.split_once('/')?;
        Some(Self { pid: pid.parse().ok()?, fingerprint: u32::from_str_radix(fingerprint, 16).ok()? })
    }
}

/// The relays that run on this machine.
pub(super) fn running() -> io::Result<Vec<Name>> {
    let mut names: Vec<_> = fs::read_to_string("/proc/net/unix")?.lines().filter_map(Name::read).collect();
    names.sort_unstable_by_key(|name| name.pid);
    // A connection is listed with its listener's name too.
    names.dedup();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_the_system_shows_them() {
        let line = |name: &str| format!("0000000000000000: 00000002 00000000 00010000 0001 01 34023 {name}");
        let name = Name::new(71, "{}");
        let shown = format!("@static-relay/71/{:08x}", name.fingerprint);
        assert_eq!(Name::read(&line(&shown)), Some(name));
        for other in ["/run/systemd/notify", "@static-relay/x/00000000", "@static-relay/1", "@other/1/2"] {
            assert_eq!(Name::read(&line(other)), None);
        }
    }
}
