//! One inbound connection: bytes from its socket to its decoder.
//!
//! Reads at most once per turn, so that a fast sender does not delay others; the worker calls again as long as
//! there is more. Between reads it stores nothing but an unfinished line.

use super::{Input, intake::Intake, listener::Client, refused::Sender};
use crate::protocol::{Decoder, InputLimits, Violation};
use mio::net::TcpStream;
use std::{
    io::{self, Read},
    time::{Duration, Instant},
};

/// An accepted connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) socket: TcpStream,
    pub(super) sender: Sender,
    pub(super) last_read: Instant,
    /// Whether it is in the worker's list of connections to read.
    pub(super) is_listed: bool,
    /// Whether the end of the stream was announced: then a short read is not the last.
    pub(super) is_ending: bool,
    /// How many reads it still gets when the relay stops.
    pub(super) reads_left: Option<u32>,
    /// How long it may send nothing.
    idle_max: Option<Duration>,
    decoder: Decoder,
}

/// The result of a read.
#[derive(Debug)]
pub(super) enum Progress {
    /// The bytes of work of this read; there may be more to read.
    More(usize),
    /// The bytes of work of this read; there is no more for now.
    Drained(usize),
    /// The connection has ended.
    Ended(End),
}

/// Why a connection ends.
#[derive(Debug)]
pub(super) enum End {
    /// The peer closed it.
    Clean,
    /// An error, such as a reset.
    Broken(io::Error),
    /// It broke the protocol.
    Violation(Violation),
    /// It sent nothing for too long.
    Idle,
    /// It occupies most of the memory for unfinished lines.
    Memory,
    /// The relay stops.
    Stopping,
}

impl Connection {
    pub(super) fn new(client: Client, input: &Input, limits: InputLimits, now: Instant) -> Self {
        Self {
            socket: client.socket,
            sender: Sender { peer: client.peer, input: client.input },
            last_read: now,
            is_listed: false,
            is_ending: false,
            reads_left: None,
            idle_max: input.idle_max,
            decoder: input.protocol.decoder(limits),
        }
    }

    /// Reads once, and passes the lines through the pipeline.
    pub(super) fn read(&mut self, now: Instant, now_s: u64, intake: &mut Intake) -> Progress {
        let Intake { pipeline, gathered, buffer, .. } = intake;
        match self.socket.read(buffer) {
            Ok(0) => Progress::Ended(End::Clean),
            Ok(bytes) => {
                self.last_read = now;
                match self.decoder.feed(&buffer[..bytes], now_s, &mut **pipeline, gathered) {
                    Err(violation) => Progress::Ended(End::Violation(violation)),
                    // A read of a stream socket that returns less than requested has emptied it: epoll(7),
                    // question 9.
                    Ok(fed) if bytes < buffer.len() && !self.is_ending => Progress::Drained(fed),
                    Ok(fed) => Progress::More(fed),
                }
            }
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock => Progress::Drained(0),
                io::ErrorKind::Interrupted => Progress::More(0),
                _ => Progress::Ended(End::Broken(error)),
            },
        }
    }

    /// Bytes of memory that its unfinished line or frame occupies.
    pub(super) fn held_bytes(&self) -> usize {
        self.decoder.held_bytes()
    }

    /// Whether it sent nothing for too long.
    pub(super) fn is_idle(&self, now: Instant) -> bool {
        self.idle_max.is_some_and(|idle_max| now.saturating_duration_since(self.last_read) >= idle_max)
    }

    /// Ends the connection. Bytes after the last LF are a line only if the peer meant to end there (BUG-22).
    pub(super) fn finish(self, end: &End, now_s: u64, intake: &mut Intake) {
        let Intake { pipeline, gathered, .. } = intake;
        match end {
            // It is counted already, and what the decoder stores belongs to what was counted.
            End::Violation(_) => {}
            End::Clean => self.decoder.finish(true, now_s, &mut **pipeline, gathered),
            End::Broken(_) | End::Idle | End::Memory | End::Stopping => {
                self.decoder.finish(false, now_s, &mut **pipeline, gathered);
            }
        }
    }
}
