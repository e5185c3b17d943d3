//! The relay's side of a recording: a thread that accepts recorders and sends them lines.
//!
//! One recorder is served at a time; workers never wait for it.

use super::{Tap, socket::Name, tap::Block};
use crate::shortage::Explained;
use rustix::{net::sockopt::socket_peercred, process::geteuid};
use std::{
    io::{self, Write as _},
    os::unix::net::{UnixListener, UnixStream},
    process,
    sync::{Arc, mpsc::Receiver},
    thread,
    time::Duration,
};

/// How long a recorder may take to read what was written.
const PATIENCE: Duration = Duration::from_secs(10);

/// The pause after a recorder could not be served.
const PAUSE: Duration = Duration::from_secs(1);

/// Starts to accept recorders, one at a time. `plan` identifies the built-in plan.
pub(crate) fn offer(tap: Arc<Tap>, plan: &str) -> io::Result<()> {
    let listener = UnixListener::bind_addr(&Name::new(process::id(), plan).address()?)?;
    thread::Builder::new().name("record".to_owned()).spawn(move || {
        for stream in listener.incoming() {
            match stream.and_then(|stream| serve(&stream, &tap)) {
                Ok(lines) => tracing::info!(lines, "a recording ended"),
                Err(error) => {
                    tracing::warn!(error = %Explained(&error), "cannot serve a recorder");
                    // Without free file descriptors, no recorder can be accepted for a while.
                    thread::sleep(PAUSE);
                }
            }
        }
    })?;
    Ok(())
}

/// Serves a recorder until it disconnects. Returns how many lines it got.
fn serve(stream: &UnixStream, tap: &Tap) -> io::Result<u64> {
    let peer = socket_peercred(stream)?.uid;
    if !peer.is_root() && peer != geteuid() {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "another user's recorder"));
    }
    stream.set_write_timeout(Some(PATIENCE))?;
    tracing::info!("a recording begins");
    let lines = hand_over(stream, &tap.open());
    tap.close();
    Ok(lines)
}

/// Writes blocks until the recorder disconnects. Before each block come its length and the number of lines
/// missed before it. Returns the number of lines.
fn hand_over(mut stream: &UnixStream, blocks: &Receiver<Block>) -> u64 {
    let mut lines = 0;
    for block in blocks {
        let head = [block.lines.len() as u64, block.missed].map(u64::to_le_bytes);
        if stream.write_all(head.as_flattened()).and_then(|()| stream.write_all(&block.lines)).is_err() {
            break;
        }
        lines += memchr::memchr_iter(b'\n', &block.lines).count() as u64;
    }
    lines
}
