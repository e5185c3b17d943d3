//! Sockets that somebody opened before this process was there and passed on to it: socket activation.
//!
//! A service manager that holds the sockets keeps them open while the relay restarts: clients wait instead of being turned
//! away. Each is matched by its address to an input that is configured to listen there. Where they come from is
//! [`crate::serve`]'s to know.

use std::{
    fmt::Display,
    net::{SocketAddr, TcpListener, UdpSocket},
};

/// Open sockets, not yet anybody's.
#[derive(Debug, Default)]
pub struct Inherited {
    /// Listening for connections.
    pub tcp: Vec<TcpListener>,
    /// For datagrams.
    pub udp: Vec<UdpSocket>,
    /// Numbers of file descriptors that are neither.
    pub foreign: Vec<usize>,
}

impl Inherited {
    /// Whether one of them has this address.
    pub(super) fn has(&self, address: SocketAddr) -> bool {
        let tcp = self.tcp.iter().map(TcpListener::local_addr);
        tcp.chain(self.udp.iter().map(UdpSocket::local_addr))
            .any(|found| found.is_ok_and(|one| one == address))
    }

    pub(super) fn take_tcp(&mut self, address: SocketAddr) -> Option<TcpListener> {
        let at = self.tcp.iter().position(|one| one.local_addr().is_ok_and(|found| found == address))?;
        Some(self.tcp.swap_remove(at))
    }

    pub(super) fn take_udp(&mut self, address: SocketAddr) -> Option<UdpSocket> {
        let at = self.udp.iter().position(|one| one.local_addr().is_ok_and(|found| found == address))?;
        Some(self.udp.swap_remove(at))
    }

    /// Closes what no input wanted, so that nobody sends to where nothing reads.
    pub(super) fn close(self) {
        for descriptor in &self.foreign {
            tracing::warn!(descriptor, "inherited what is neither TCP nor UDP; it is not used");
        }
        let close = |transport: &str, address: &dyn Display| {
            tracing::warn!(%address, transport, "closed an inherited socket: no input is configured to listen there");
        };
        for address in self.tcp.iter().flat_map(TcpListener::local_addr) {
            close("tcp", &address);
        }
        for address in self.udp.iter().flat_map(UdpSocket::local_addr) {
            close("udp", &address);
        }
    }
}
