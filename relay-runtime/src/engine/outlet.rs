//! The socket of one destination: carries out what its state machine says, and tells it what happened.
//!
//! Decides nothing about queues, retries or time: see [`crate::destination`].

use super::{
    Outgoing,
    edge::Edge,
    outstanding::outstanding,
    resolve::{Resolution, resolve},
    token::Source,
};
use crate::{
    destination::{Destination, DisconnectReason, Input, Output},
    table::{DestinationIndex, Transport},
};
use mio::{
    Interest, Registry, Token,
    event::Event,
    net::{TcpStream, UdpSocket},
};
use socket2::{SockRef, TcpKeepalive};
use std::{
    io::{self, IoSlice, Read, Write},
    net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr},
    time::{Duration, Instant},
};

/// Slices of one write. The kernel takes up to 1024; more than this few gain nothing.
const SLICES: usize = 64;

/// A datagram that no usual network has to cut up.
const DATAGRAM_BYTES: usize = 1400;

/// Reads of what a destination says per turn; all of it is ignored.
const READS: usize = 16;

/// Silence after which the kernel asks whether the peer is still there, and how often it asks again. With `write_timeout` as
/// `TCP_USER_TIMEOUT` an idle connection to a peer that vanished ends within the sum of the three (tcp(7)).
const KEEPALIVE: Duration = Duration::from_secs(30);
const KEEPALIVE_AGAIN: Duration = Duration::from_secs(5);

/// One destination with its socket.
#[derive(Debug)]
pub(super) struct Outlet {
    pub(super) index: DestinationIndex,
    pub(super) destination: Destination,
    /// Whether it is in the worker's list of those to be driven.
    pub(super) is_listed: bool,
    token: Token,
    address: String,
    transport: Transport,
    write_timeout: Duration,
    socket: Option<Socket>,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpStream),
    Udp(UdpSocket),
}

impl Outlet {
    /// The destination with this number, in this place of its worker.
    pub(super) fn new(
        index: DestinationIndex,
        at: usize,
        outgoing: &Outgoing,
        destination: Destination,
    ) -> Self {
        let (token, address) = (Source::Outlet(at).token(), outgoing.address.clone());
        Self {
            index,
            destination,
            is_listed: false,
            token,
            address,
            transport: outgoing.transport,
            write_timeout: outgoing.limits.write_timeout,
            socket: None,
        }
    }

    /// Does whatever the state machine wants done now.
    pub(super) fn drive(&mut self, edge: &mut Edge) {
        self.destination.set_unix_time(edge.now_s);
        while let Some(output) = self.destination.poll_output(edge.now) {
            match output {
                Output::Resolve => {
                    if let Some(resolution) = resolve(self.index, &self.address, edge.mailbox()) {
                        self.resolved(resolution, edge);
                    }
                }
                Output::Connect(address) => self.connect(address, edge),
                Output::Send => self.send(edge),
                Output::Ask => self.ask(edge.now),
                Output::Disconnect(DisconnectReason::ConnectTimeout) => {
                    self.connect_failed(&io::ErrorKind::TimedOut.into(), edge);
                }
                Output::Disconnect(DisconnectReason::WriteTimeout) => {
                    self.closed("acknowledges nothing within `write_timeout`", edge);
                }
            }
        }
        self.end_turn(edge);
    }

    fn end_turn(&mut self, edge: &mut Edge) {
        self.destination.handle(edge.now, Input::EndOfTurn);
        if let Some(trouble) = self.destination.take_trouble()
            && let Some(suppressed) = edge.admit()
        {
            tracing::error!(destination = self.address, %trouble, suppressed, "spool");
        }
    }

    /// The kernel says what is still on its way. Where it does not, and for datagrams, everything written counts as
    /// arrived.
    pub(super) fn ask(&mut self, now: Instant) {
        if self.destination.is_up() {
            let bytes = self.outstanding().unwrap_or(0);
            self.destination.handle(now, Input::Outstanding(bytes));
        }
    }

    fn outstanding(&self) -> Option<usize> {
        match &self.socket {
            Some(Socket::Tcp(stream)) => outstanding(stream),
            Some(Socket::Udp(_)) | None => Some(0),
        }
    }

    /// The answer to a question about the name.
    pub(super) fn resolved(&mut self, resolution: Resolution, edge: &mut Edge) {
        let addresses = resolution.unwrap_or_else(|error| {
            self.note_down(edge, &format!("cannot resolve: {error}"));
            Vec::new()
        });
        self.destination.handle(edge.now, Input::Resolved(addresses));
    }

    /// Something happened to the socket. Spurious and late events do no harm: only what the socket itself
    /// says counts.
    pub(super) fn handle_event(&mut self, event: &Event, buffer: &mut [u8], edge: &mut Edge) {
        if !self.destination.is_up() {
            self.check_connected(edge);
        }
        if self.destination.is_up() {
            if event.is_writable() {
                self.destination.handle(edge.now, Input::Writable);
            }
            if event.is_readable() || event.is_read_closed() || event.is_error() {
                self.read(buffer, edge);
            }
        }
    }

    /// Ends an orderly connection: the peer gets everything that the kernel has taken, then an end of file.
    pub(super) fn close(&mut self, buffer: &mut [u8]) {
        if let Some(Socket::Tcp(mut stream)) = self.socket.take() {
            // Unread bytes would turn the close into a reset, which may destroy what is on its way.
            while matches!(stream.read(buffer), Ok(bytes) if bytes > 0) {}
            let _ = stream.shutdown(Shutdown::Write);
        }
    }

    fn connect(&mut self, address: SocketAddr, edge: &mut Edge) {
        let opened = Socket::open(self.transport, address, self.write_timeout).and_then(|mut socket| {
            socket.register(edge.poll.registry(), self.token)?;
            Ok(socket)
        });
        match opened {
            Ok(socket) => {
                let is_connected = matches!(socket, Socket::Udp(_));
                self.socket = Some(socket);
                if is_connected {
                    self.connected(edge);
                }
            }
            Err(error) => self.connect_failed(&error, edge),
        }
    }

    fn check_connected(&mut self, edge: &mut Edge) {
        let Some(Socket::Tcp(stream)) = &self.socket else { return };
        match stream
            .take_error()
            .and_then(|error| error.map_or(Ok(()), Err))
            .and_then(|()| stream.peer_addr())
        {
            Ok(_) => self.connected(edge),
            Err(error) if error.kind() == io::ErrorKind::NotConnected => {}
            Err(error) => self.connect_failed(&error, edge),
        }
    }

    fn connected(&mut self, edge: &mut Edge) {
        self.destination.handle(edge.now, Input::Connected);
        edge.liveness.set(self.index, true);
        if let Some(suppressed) = edge.admit() {
            tracing::info!(destination = self.address, suppressed, "destination up");
        }
    }

    fn connect_failed(&mut self, error: &io::Error, edge: &mut Edge) {
        self.socket = None;
        self.note_down(edge, &format!("cannot connect: {error}"));
        self.destination.handle(edge.now, Input::ConnectFailed);
    }

    fn closed(&mut self, reason: &str, edge: &mut Edge) {
        let outstanding = self.outstanding();
        self.socket = None;
        self.note_down(edge, reason);
        self.destination.handle(edge.now, Input::Closed { outstanding });
    }

    fn note_down(&self, edge: &mut Edge, reason: &str) {
        edge.liveness.set(self.index, false);
        if let Some(suppressed) = edge.admit() {
            tracing::warn!(destination = self.address, reason, suppressed, "destination down");
        }
    }

    fn send(&mut self, edge: &mut Edge) {
        let sent = match &mut self.socket {
            Some(Socket::Tcp(stream)) => send_stream(stream, &mut self.destination),
            Some(Socket::Udp(socket)) => send_datagram(socket, &mut self.destination),
            None => Err(io::ErrorKind::NotConnected.into()),
        };
        match sent {
            Ok(inputs) => {
                for input in inputs.into_iter().flatten() {
                    self.destination.handle(edge.now, input);
                }
                if self.transport == Transport::Udp {
                    self.ask(edge.now);
                }
            }
            Err(error) => self.closed(&error.to_string(), edge),
        }
    }

    /// Reads what the destination says, only to learn of its end.
    fn read(&mut self, buffer: &mut [u8], edge: &mut Edge) {
        for _ in 0..READS {
            let read = match &mut self.socket {
                Some(Socket::Tcp(stream)) => stream.read(buffer),
                // An ICMP error shows here; the next datagram may well arrive.
                Some(Socket::Udp(socket)) => socket.recv(buffer).map(|_| 1),
                None => return,
            };
            match read {
                Ok(0) => return self.closed("closed by the peer", edge),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) if self.transport == Transport::Udp => {}
                Err(error) => return self.closed(&error.to_string(), edge),
            }
        }
        self.read_later(edge);
    }

    /// The peer says more than one turn should listen to. Registering again brings a new event.
    fn read_later(&mut self, edge: &mut Edge) {
        let again = match &mut self.socket {
            Some(socket) => socket.reregister(edge.poll.registry(), self.token),
            None => Ok(()),
        };
        if let Err(error) = again {
            self.closed(&error.to_string(), edge);
        }
    }
}

impl Socket {
    fn open(transport: Transport, address: SocketAddr, write_timeout: Duration) -> io::Result<Self> {
        match transport {
            Transport::Tcp => {
                let stream = TcpStream::connect(address)?;
                let _ = stream.set_nodelay(true);
                notice_death(&stream, write_timeout);
                Ok(Self::Tcp(stream))
            }
            Transport::Udp => {
                let any: SocketAddr = match address {
                    SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
                    SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
                };
                let socket = UdpSocket::bind(any)?;
                socket.connect(address)?;
                Ok(Self::Udp(socket))
            }
        }
    }

    fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        match self {
            Self::Tcp(stream) => registry.register(stream, token, interest),
            Self::Udp(socket) => registry.register(socket, token, interest),
        }
    }

    fn reregister(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        match self {
            Self::Tcp(stream) => registry.reregister(stream, token, interest),
            Self::Udp(socket) => registry.reregister(socket, token, interest),
        }
    }
}

/// Lets the kernel find out that the peer vanished, busy or idle. What a system cannot do is left out: the state machine watches
/// what is acknowledged, too.
fn notice_death(stream: &TcpStream, write_timeout: Duration) {
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let keepalive = {
        let _ = socket.set_tcp_user_timeout(Some(write_timeout));
        keepalive.with_interval(KEEPALIVE_AGAIN)
    };
    let _ = socket.set_tcp_keepalive(&keepalive);
}

/// What a write tells the state machine.
type Sent = io::Result<[Option<Input>; 2]>;

/// A short write means that the kernel is full: it will tell when it is not, so it need not be asked again.
fn send_stream(stream: &mut TcpStream, destination: &mut Destination) -> Sent {
    let mut slices = [IoSlice::new(&[]); SLICES];
    let used = destination.slices(&mut slices);
    let wanted: usize = slices[..used].iter().map(|slice| slice.len()).sum();
    match stream.write_vectored(&slices[..used]) {
        Ok(0) => Err(io::ErrorKind::WriteZero.into()),
        Ok(bytes) if bytes < wanted => Ok([Some(Input::Wrote(bytes)), Some(Input::WriteBlocked)]),
        Ok(bytes) => Ok([Some(Input::Wrote(bytes)), None]),
        Err(error) => blocked_or(error),
    }
}

fn send_datagram(socket: &UdpSocket, destination: &mut Destination) -> Sent {
    let Some(datagram) = destination.datagram(DATAGRAM_BYTES) else { return Ok([None, None]) };
    // The first error may belong to an earlier datagram that nobody took.
    match socket.send(datagram).or_else(|_| socket.send(datagram)) {
        Ok(_) => {
            let bytes = datagram.len();
            Ok([Some(Input::Wrote(bytes)), None])
        }
        Err(error) if datagram.len() > DATAGRAM_BYTES && error.kind() != io::ErrorKind::WouldBlock => {
            Ok([Some(Input::Unsendable), None])
        }
        Err(error) => blocked_or(error),
    }
}

fn blocked_or(error: io::Error) -> Sent {
    match error.kind() {
        io::ErrorKind::WouldBlock => Ok([Some(Input::WriteBlocked), None]),
        io::ErrorKind::Interrupted => Ok([None, None]),
        _ => Err(error),
    }
}
