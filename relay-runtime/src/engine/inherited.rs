//! Sockets that were opened before this process started and passed on to it (socket activation).
//!
//! A service manager keeps its sockets open while the relay restarts, so clients wait instead of being
//! refused. Each socket is matched by its address with an input that is configured to listen there.
//! [`crate::serve`] finds the sockets; where they come from does not matter here.

use std::{
    fmt::Display,
    net::{SocketAddr, TcpListener, UdpSocket},
};

/// Inherited sockets that no input has taken yet.
#[derive(Debug, Default)]
pub struct Inherited {
    /// Sockets that listen for connections.
    pub tcp: Vec<TcpListener>,
    /// Sockets for datagrams.
    pub udp: Vec<UdpSocket>,
    /// The numbers of file descriptors that are neither.
    pub foreign: Vec<usize>,
}

impl Inherited {
    /// Whether one of the sockets has this address.
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

    /// Closes sockets that no input has taken, so that clients do not send to sockets that are not read.
    pub(super) fn close(self) {
        for descriptor in &self.foreign {
            tracing::warn!(
                descriptor,
                "ignored an inherited file descriptor that is neither a TCP nor a UDP socket"
            );
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
