//! Addresses of a destination, off the event loop.
//!
//! Literal addresses need no help. A name is asked in a thread of its own, for a name server that does not
//! answer must not delay another destination. At most one thread per destination exists at a time, since the
//! state machine waits for the answer. IPv4 comes first: many names have an IPv6 address that nobody routes.

use super::mailbox::Mailbox;
use crate::table::DestinationIndex;
use std::{
    io,
    net::{SocketAddr, ToSocketAddrs},
    thread,
};

/// The addresses, best first, or why there are none.
pub(super) type Resolution = io::Result<Vec<SocketAddr>>;

/// Gives the addresses at once, or sends them to `mailbox` later.
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

/// Asks the system, and waits.
pub(super) fn ask(address: &str) -> Resolution {
    let mut addresses: Vec<_> = address.to_socket_addrs()?.collect();
    addresses.sort_by_key(SocketAddr::is_ipv6);
    addresses.dedup();
    Ok(addresses)
}
