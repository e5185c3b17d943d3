//! The socket of one destination: does what the destination's state machine asks for, and reports to it what
//! happened.
//!
//! Decides nothing about queues, retries or time: see [`crate::destination`].

use super::{
    Outgoing,
    edge::Edge,
    outage::Outage,
    outstanding::outstanding,
    resolve::{Resolution, resolve},
    token::Source,
};
use crate::{
    destination::{Destination, DisconnectReason, Input, Output},
    shortage::Explained,
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

/// The most slices of one write. The kernel accepts up to 1024; more than this gains nothing.
const SLICES: usize = 64;

/// The largest datagram that no usual network has to fragment, in bytes.
const DATAGRAM_BYTES: usize = 1400;

/// How often per turn bytes from a destination are read; all of them are ignored.
const READS: usize = 16;

/// The time without traffic after which the kernel asks whether the peer still exists, and how often it asks
/// again. With `write_timeout` as `TCP_USER_TIMEOUT`, an idle connection to a peer that vanished ends within
/// the sum of the three (tcp(7)).
const KEEPALIVE: Duration = Duration::from_secs(30);
const KEEPALIVE_AGAIN: Duration = Duration::from_secs(5);

/// One destination with its socket.
#[derive(Debug)]
pub(super) struct Outlet {
    pub(super) index: DestinationIndex,
    pub(super) destination: Destination,
    /// Whether it is in the worker's list of outlets to drive.
    pub(super) is_listed: bool,
    token: Token,
    address: String,
    transport: Transport,
    write_timeout: Duration,
    socket: Option<Socket>,
    /// The current outage, if the destination is down and that was logged.
    outage: Option<Outage>,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpStream),
    Udp(UdpSocket),
}

impl Outlet {
    /// The outlet of destination `index`, with its number within its worker.
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
            outage: None,
        }
    }

    /// Does everything that the state machine asks for now.
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
                    self.closed("acknowledged nothing within `write_timeout`", edge);
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

    /// Logs that the disk of the spool does not answer, or that it answers again.
    pub(super) fn note_disk(&self, is_answering: bool, edge: &mut Edge) {
        let Some(suppressed) = edge.admit() else { return };
        let destination = &self.address;
        if is_answering {
            tracing::info!(
                destination,
                suppressed,
                "the disk of the spool answers again: inputs are read on"
            );
        } else {
            tracing::error!(
                destination,
                suppressed,
                "the disk of the spool does not answer: inputs with lines for it are not read on, all others are; look at \
                 the file system of `spool_dir`"
            );
        }
    }

    /// Asks the kernel what is not acknowledged. If it cannot tell, and for datagrams, everything that was
    /// written counts as arrived.
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

    /// Passes on the result of resolving the name.
    pub(super) fn resolved(&mut self, resolution: Resolution, edge: &mut Edge) {
        let addresses = resolution.unwrap_or_else(|error| {
            self.note_down(edge, &format!("cannot resolve: {}", Explained(&error)));
            Vec::new()
        });
        self.destination.handle(edge.now, Input::Resolved(addresses));
    }

    /// Handles an event of the socket. Spurious and late events do no harm: only the state of the socket itself
    /// counts.
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

    /// Closes the connection in good order: the peer gets everything that the kernel has accepted, then an end
    /// of file.
    pub(super) fn close(&mut self, buffer: &mut [u8]) {
        if let Some(Socket::Tcp(mut stream)) = self.socket.take() {
            // Unread bytes would turn the close into a reset, which may destroy bytes in flight.
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
        let outage = self.outage.take();
        if let Some(suppressed) = edge.admit() {
            let (destination, waiting) = (&self.address, self.waiting());
            let down_seconds = outage.map(|outage| outage.seconds(edge.now));
            tracing::info!(destination, waiting, down_seconds, suppressed, "destination up");
        }
    }

    fn connect_failed(&mut self, error: &io::Error, edge: &mut Edge) {
        self.socket = None;
        self.note_down(edge, &format!("cannot connect: {}", Explained(error)));
        self.destination.handle(edge.now, Input::ConnectFailed);
    }

    fn closed(&mut self, reason: &str, edge: &mut Edge) {
        let outstanding = self.outstanding();
        self.socket = None;
        self.note_down(edge, reason);
        self.destination.handle(edge.now, Input::Closed { outstanding });
    }

    /// Logs an outage when it begins, and then once a minute.
    fn note_down(&mut self, edge: &mut Edge, reason: &str) {
        edge.liveness.set(self.index, false);
        let attempts = match &mut self.outage {
            None => None,
            Some(outage) => match outage.failed(edge.now) {
                Some(attempts) => Some((attempts, outage.seconds(edge.now))),
                None => return,
            },
        };
        self.outage.get_or_insert(Outage::begin(edge.now));
        let Some(suppressed) = edge.admit() else { return };
        let (destination, waiting) = (&self.address, self.waiting());
        match attempts {
            None => tracing::warn!(destination, reason, waiting, suppressed, "destination down"),
            Some((attempts, seconds)) => {
                tracing::warn!(
                    destination,
                    reason,
                    waiting,
                    seconds,
                    attempts,
                    suppressed,
                    "destination still down"
                );
            }
        }
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// The number of lines that are left to send.
    pub(super) fn waiting(&self) -> u64 {
        let counts = self.destination.counts();
        counts.queued + counts.spooled
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

    /// Reads what the destination sends, only to notice the end of the connection.
    fn read(&mut self, buffer: &mut [u8], edge: &mut Edge) {
        for _ in 0..READS {
            let read = match &mut self.socket {
                Some(Socket::Tcp(stream)) => stream.read(buffer),
                // An ICMP error is reported here; the next datagram may well arrive.
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

    /// Called when the peer has sent more than is read in one turn. Registering again causes a new event.
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

/// Lets the kernel find out that the peer vanished, whether the connection is busy or idle. Options that a
/// system does not have are left out: the state machine watches acknowledgements too.
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

/// The inputs for the state machine that result from a write.
type Sent = io::Result<[Option<Input>; 2]>;

/// Writes to a stream. A short write means that the kernel's buffer is full; an event will report when it is
/// not, so there is no second attempt.
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
    // The first error may belong to an earlier datagram that did not arrive.
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
