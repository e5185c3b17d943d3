//! The listening sockets: TCP and UDP on the same address (spec §4.1).
//!
//! If accepting fails, as it does without free file descriptors, the listener stays open and tries again a
//! little later: closing it would refuse clients that only had to wait.

use super::{inherited::Inherited, resolve};
use crate::shortage::Explained;
use mio::net::{TcpListener, TcpStream, UdpSocket};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::{
    fmt, io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::{Duration, Instant},
};

/// How many connections the kernel holds until they are accepted.
const BACKLOG: i32 = 1024;

/// The buffer for datagrams that the kernel is asked for; it may grant less.
const DATAGRAM_BUFFER_BYTES: usize = 4 * 1024 * 1024;

/// With port 0, the port that TCP gets may be in use for UDP; then another one is tried.
const PORT_ATTEMPTS: usize = 20;

/// The pause after the first error, and the longest pause.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// The relay cannot listen on an address.
#[derive(Debug)]
pub struct BindError {
    /// The address as configured, with its variables completed.
    pub address: String,
    /// The error of the operating system.
    pub error: io::Error,
}

/// The two sockets on one address, with their state.
#[derive(Debug)]
pub(super) struct Listening {
    pub(super) tcp: TcpListener,
    pub(super) udp: UdpSocket,
    pub(super) address: SocketAddr,
    pub(super) pause: AcceptPause,
    pub(super) has_clients: bool,
    pub(super) has_datagrams: bool,
}

/// A client that was accepted.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) socket: TcpStream,
    pub(super) peer: SocketAddr,
    /// The index of the input in [`Setup::inputs`](super::Setup::inputs).
    pub(super) input: usize,
}

/// When to accept again after errors.
#[derive(Debug, Default)]
pub(super) struct AcceptPause {
    until: Option<Instant>,
    wait: Duration,
}

/// The result of an attempt to accept.
#[derive(Debug)]
pub(super) enum Accepted {
    /// A connection.
    Connection(TcpStream, SocketAddr),
    /// No client is waiting.
    Nobody,
    /// Accepting is not possible at the moment.
    Failed(io::Error),
}

/// Opens both sockets on `address`, unless they were inherited: `host:port`, `[ipv6]:port`, or `:port` for all
/// addresses.
pub(super) fn listen(address: &str, inherited: &mut Inherited) -> Result<Listening, BindError> {
    let fail = |error| BindError { address: address.to_owned(), error };
    let mut last = io::ErrorKind::NotFound.into();
    let mut candidates = candidates(address).map_err(fail)?;
    if let Some(at) = candidates.iter().position(|candidate| inherited.has(*candidate)) {
        candidates = vec![candidates[at]];
    }
    for candidate in candidates {
        for _ in 0..PORT_ATTEMPTS {
            match listen_on(candidate, inherited) {
                Ok(listening) => return Ok(listening),
                Err(error) => last = error,
            }
            if candidate.port() != 0 || last.kind() != io::ErrorKind::AddrInUse {
                break;
            }
        }
    }
    Err(fail(last))
}

pub(super) fn accept(listener: &TcpListener) -> Accepted {
    loop {
        match listener.accept() {
            Ok((stream, peer)) => return Accepted::Connection(stream, peer),
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock => return Accepted::Nobody,
                // The client went away while it waited, or a signal came: the next client is not affected.
                io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted => {}
                _ => return Accepted::Failed(error),
            },
        }
    }
}

impl Listening {
    /// When to try to accept, if a client may be waiting.
    pub(super) fn accept_at(&self, now: Instant) -> Option<Instant> {
        self.has_clients.then(|| self.pause.until().unwrap_or(now))
    }
}

impl AcceptPause {
    /// Whether accepting may be tried now.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| until <= now)
    }

    /// When to try again.
    pub(super) const fn until(&self) -> Option<Instant> {
        self.until
    }

    pub(super) fn failed(&mut self, now: Instant) {
        self.wait = (self.wait * 2).clamp(PAUSE.0, PAUSE.1);
        self.until = Some(now + self.wait);
    }

    /// Tries again after `wait`. Nothing failed.
    pub(super) fn hold(&mut self, now: Instant, wait: Duration) {
        self.until = Some(now + wait);
    }

    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }
}

fn candidates(address: &str) -> io::Result<Vec<SocketAddr>> {
    match address.strip_prefix(':') {
        Some(port) => {
            let port = port.parse().map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
            Ok(vec![(Ipv6Addr::UNSPECIFIED, port).into(), (Ipv4Addr::UNSPECIFIED, port).into()])
        }
        None => resolve::ask(address),
    }
}

fn listen_on(address: SocketAddr, inherited: &mut Inherited) -> io::Result<Listening> {
    let tcp = inherited.take_tcp(address).map_or_else(|| open_tcp(address), Ok)?;
    let address = tcp.local_addr()?;
    let udp = inherited.take_udp(address).map_or_else(|| open_udp(address), Ok)?;
    let _ = SockRef::from(&udp).set_recv_buffer_size(DATAGRAM_BUFFER_BYTES);
    tcp.set_nonblocking(true)?;
    udp.set_nonblocking(true)?;
    Ok(Listening {
        tcp: TcpListener::from_std(tcp),
        udp: UdpSocket::from_std(udp),
        address,
        pause: AcceptPause::default(),
        has_clients: false,
        has_datagrams: false,
    })
}

fn open_tcp(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let tcp = open(address, Type::STREAM, Protocol::TCP)?;
    tcp.set_reuse_address(true)?;
    tcp.bind(&address.into())?;
    tcp.listen(BACKLOG)?;
    Ok(tcp.into())
}

fn open_udp(address: SocketAddr) -> io::Result<std::net::UdpSocket> {
    let udp = open(address, Type::DGRAM, Protocol::UDP)?;
    udp.bind(&address.into())?;
    Ok(udp.into())
}

fn open(address: SocketAddr, kind: Type, protocol: Protocol) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
    if address.is_ipv6() && address.ip().is_unspecified() {
        socket.set_only_v6(false)?;
    }
    Ok(socket)
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot listen on `{}`: {}", self.address, Explained(&self.error))
    }
}

impl std::error::Error for BindError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alone(address: &str) -> Result<Listening, BindError> {
        listen(address, &mut Inherited::default())
    }

    #[test]
    fn what_was_inherited_is_taken_by_its_address_and_the_rest_is_opened() {
        let tcp = || std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let (held, other) = (tcp(), tcp());
        let address = held.local_addr().unwrap();
        let mut inherited = Inherited { tcp: vec![other, held], ..Inherited::default() };
        let listening = listen(&address.to_string(), &mut inherited).unwrap();
        assert_eq!((listening.address, listening.udp.local_addr().unwrap()), (address, address));
        assert_eq!(inherited.tcp.len(), 1);
        // It does not block, although it did when it was passed on.
        assert!(matches!(accept(&listening.tcp), Accepted::Nobody));
        let client = std::net::TcpStream::connect(address).unwrap();
        assert!(
            matches!(accept(&listening.tcp), Accepted::Connection(_, peer) if peer == client.local_addr().unwrap())
        );
    }

    #[test]
    fn all_addresses_are_those_of_the_inherited_socket() {
        let udp = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
        let address = udp.local_addr().unwrap();
        let mut inherited = Inherited { udp: vec![udp], ..Inherited::default() };
        let listening = listen(&format!(":{}", address.port()), &mut inherited).unwrap();
        assert_eq!(listening.address, address);
        assert!(inherited.udp.is_empty());
    }

    #[test]
    fn both_sockets_get_the_same_port() {
        let listening = alone("127.0.0.1:0").unwrap();
        assert_ne!(listening.address.port(), 0);
        assert_eq!(listening.udp.local_addr().unwrap(), listening.address);
    }

    #[test]
    fn an_address_in_use_is_named() {
        let taken = alone("127.0.0.1:0").unwrap().address;
        let _holder = alone(&taken.to_string()).unwrap();
        let error = alone(&taken.to_string()).unwrap_err();
        assert!(error.to_string().contains(&taken.to_string()), "{error}");
    }

    #[test]
    fn accepting_pauses_longer_after_each_error() {
        let (mut pause, now) = (AcceptPause::default(), Instant::now());
        assert!(pause.is_over(now));
        pause.failed(now);
        assert_eq!(pause.until(), Some(now + PAUSE.0));
        pause.failed(now);
        assert!(!pause.is_over(now + PAUSE.0));
        pause.succeeded();
        assert!(pause.is_over(now));
    }
}
