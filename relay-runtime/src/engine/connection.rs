//! One inbound connection: bytes from its socket to its decoder.
//!
//! Reads once per turn at most, so that a fast sender does not keep others waiting; the worker asks again as
//! long as there is more. Between reads it holds nothing but the start of a line.

use super::{Input, intake::Intake, listener::Client};
use crate::protocol::{Decoder, InputLimits, Violation};
use mio::net::TcpStream;
use std::{
    io::{self, Read},
    net::SocketAddr,
    time::{Duration, Instant},
};

/// An accepted connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) socket: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) last_read: Instant,
    /// Whether it is in the worker's list of those to be read.
    pub(super) is_listed: bool,
    /// The end of the stream was announced: a short read is not the last.
    pub(super) is_ending: bool,
    /// Reads that it may still get when the relay stops.
    pub(super) reads_left: Option<u32>,
    /// How long it may be silent.
    idle_max: Option<Duration>,
    decoder: Decoder,
}

/// What a read showed.
#[derive(Debug)]
pub(super) enum Progress {
    /// So many bytes, read or of lines, and there may be more.
    More(usize),
    /// So many bytes, and no more for now.
    Drained(usize),
    /// Nothing will come any more.
    Ended(End),
}

/// Why a connection ends.
#[derive(Debug)]
pub(super) enum End {
    /// The peer closed it.
    Clean,
    /// It broke.
    Broken(io::Error),
    /// What it sends cannot be taken.
    Violation(Violation),
    /// Silence.
    Idle,
    /// It holds most of what there is for the starts of lines.
    Memory,
    /// The relay stops.
    Stopping,
}

impl Connection {
    pub(super) fn new(client: Client, input: &Input, limits: InputLimits, now: Instant) -> Self {
        Self {
            socket: client.socket,
            peer: client.peer,
            last_read: now,
            is_listed: false,
            is_ending: false,
            reads_left: None,
            idle_max: input.idle_max,
            decoder: input.protocol.decoder(limits),
        }
    }

    /// One read, and what it brings through the pipeline.
    pub(super) fn read(&mut self, now: Instant, now_s: u64, intake: &mut Intake) -> Progress {
        let Intake { pipeline, gathered, buffer, .. } = intake;
        match self.socket.read(buffer) {
            Ok(0) => Progress::Ended(End::Clean),
            Ok(bytes) => {
                self.last_read = now;
                match self.decoder.feed(&buffer[..bytes], now_s, &mut **pipeline, gathered) {
                    Err(violation) => Progress::Ended(End::Violation(violation)),
                    // A stream socket that gives less than it was asked for is empty: epoll(7), question 9.
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

    /// Bytes of memory for the start of a line or frame.
    pub(super) fn held_bytes(&self) -> usize {
        self.decoder.held_bytes()
    }

    /// Whether it was silent for too long.
    pub(super) fn is_idle(&self, now: Instant) -> bool {
        self.idle_max.is_some_and(|idle_max| now.saturating_duration_since(self.last_read) >= idle_max)
    }

    /// The start of a line is a line only when the peer meant it to end there (BUG-22).
    pub(super) fn finish(self, end: &End, now_s: u64, intake: &mut Intake) {
        let Intake { pipeline, gathered, .. } = intake;
        match end {
            // It is counted, and what the decoder holds belongs to what was counted.
            End::Violation(_) => {}
            End::Clean => self.decoder.finish(true, now_s, &mut **pipeline, gathered),
            End::Broken(_) | End::Idle | End::Memory | End::Stopping => {
                self.decoder.finish(false, now_s, &mut **pipeline, gathered);
            }
        }
    }
}
