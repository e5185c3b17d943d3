//! Resolves the addresses of a destination outside of the event loop.
//!
//! Literal addresses are parsed at once. A host name is resolved in a thread of its own, because a name server
//! that does not answer must not delay other destinations. There is at most one such thread per destination,
//! because the state machine waits for the answer. IPv4 addresses come first: many names have an IPv6 address
//! to which there is no route.

use super::mailbox::Mailbox;
use crate::table::DestinationIndex;
use std::{
    io,
    net::{SocketAddr, ToSocketAddrs},
    thread,
};

/// The addresses, best first, or the error.
pub(super) type Resolution = io::Result<Vec<SocketAddr>>;

/// Returns the addresses at once, or sends them to `mailbox` later.
pub(super) fn resolve(destination: DestinationIndex, address: &str, mailbox: &Mailbox) -> Option<Resolution> {
    if let Ok(literal) = address.parse() {
        return Some(Ok(vec![literal]));
    }
    let (mailbox, address) = (mailbox.clone(), address.to_owned());
    let ask = move || mailbox.send_resolution(destination, ask(&address));
    match thread::Builder::new().name("resolver".to_owned()).spawn(ask) {
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    }
}

/// Asks the system, and blocks until it answers.
pub(super) fn ask(address: &str) -> Resolution {
    let mut addresses: Vec<_> = address.to_socket_addrs()?.collect();
    addresses.sort_by_key(SocketAddr::is_ipv6);
    addresses.dedup();
    Ok(addresses)
}
