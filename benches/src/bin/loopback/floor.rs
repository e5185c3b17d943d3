//! The floor: what it costs to read bytes from one connection and write them to another, and nothing else.
//!
//! No relay that reads and writes with such system calls can cost less.

use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
};

/// Copies each accepted connection to a connection of its own. Never returns; the comparison ends the process.
pub(crate) fn run(listen: SocketAddr, to: SocketAddr, buffer_bytes: usize) -> io::Result<()> {
    let listener = TcpListener::bind(listen)?;
    for from in listener.incoming() {
        let (from, to) = (from?, TcpStream::connect(to)?);
        thread::spawn(move || copy(from, to, buffer_bytes));
    }
    Ok(())
}

fn copy(mut from: TcpStream, mut to: TcpStream, buffer_bytes: usize) -> io::Result<()> {
    let mut buffer = vec![0; buffer_bytes];
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok(()),
            bytes => to.write_all(&buffer[..bytes])?,
        }
    }
}
