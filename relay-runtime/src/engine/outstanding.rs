//! Asks the kernel how many bytes are in flight on a connection: written, and not acknowledged by the peer's
//! kernel.
//!
//! The only unsafe call of the engine, because no library offers this question.

use mio::net::TcpStream;
use rustix::ioctl::{Getter, Opcode, ioctl};

/// Whether the number of the request is known. It differs between systems and, on Linux, between architectures.
const IS_KNOWN: bool = cfg!(all(
    target_os = "linux",
    any(
        target_arch = "x86_64",
        target_arch = "x86",
        target_arch = "aarch64",
        target_arch = "arm",
        target_arch = "riscv64"
    )
));

/// The number of unacknowledged bytes; `None` if the system cannot tell. Linux still knows it after a reset,
/// because the numbers of a connection exist until it is closed (tcp(7), `SIOCOUTQ`; `tcp_ioctl` in
/// net/ipv4/tcp.c).
#[expect(
    unsafe_code,
    reason = "no library has a safe form of this question, and without it nothing can be sent again"
)]
pub(super) fn outstanding(stream: &TcpStream) -> Option<usize> {
    const SIOCOUTQ: Opcode = 0x5411;
    if !IS_KNOWN {
        return None;
    }
    // SAFETY: on these architectures the number is SIOCOUTQ, whose answer is one int (tcp(7)); the descriptor is that of
    // an open TCP socket, which the borrow of `stream` keeps open.
    let answer = unsafe { ioctl(stream, Getter::<SIOCOUTQ, std::ffi::c_int>::new()) };
    usize::try_from(answer.ok()?).ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::{
        io::{Read, Write},
        net::TcpListener,
        time::{Duration, Instant},
    };

    #[test]
    fn what_the_peer_has_is_not_outstanding() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut stream = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut peer = listener.accept().unwrap().0;
        stream.write_all(b"a 1 2\n").unwrap();
        peer.read_exact(&mut [0; 6]).unwrap();
        stream.set_nonblocking(true).unwrap();
        let mut stream = TcpStream::from_std(stream);
        let deadline = Instant::now() + Duration::from_secs(10);
        while outstanding(&stream) != Some(0) {
            assert!(Instant::now() < deadline, "{:?}", outstanding(&stream));
        }
        // The peer does not read any more, so in the end the kernel holds bytes that it cannot send.
        let mut written = 0;
        let many = vec![b'x'; 65_536];
        while let Ok(bytes) = stream.write(&many) {
            written += bytes;
        }
        let held = outstanding(&stream).unwrap();
        assert!(held > 0 && held <= written, "{held} of {written}");
        // The peer ends with unread bytes, which causes a reset. The number of bytes that it never acknowledged
        // is still known.
        drop(peer);
        while stream.take_error().unwrap().is_none()
            && !matches!(stream.read(&mut [0]), Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset)
        {
            assert!(Instant::now() < deadline);
        }
        assert!(outstanding(&stream).unwrap() > 0);
    }
}
