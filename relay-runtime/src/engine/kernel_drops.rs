//! Datagrams that the kernel dropped at the sockets of the inputs, because they came faster than they were read.
//!
//! The kernel counts them per socket, and `/proc/self/net/udp` shows the counts; see proc(5). A socket without datagrams
//! can have dropped none, so a relay that gets lines over TCP only never reads that file. Where it does not exist, the
//! counts stay zero. What an inherited socket had dropped before this process got it does not count.

use super::listener::Listening;
use rustix::fs::fstat;
use std::fs;

/// The tables of sockets, for both versions of IP.
const TABLES: [&str; 2] = ["/proc/self/net/udp", "/proc/self/net/udp6"];

/// The number of the column with the inode of the socket. The column with the drops is the last one.
const INODE: usize = 9;

/// The counts of all inputs.
#[derive(Debug, Default)]
pub(super) struct KernelDrops {
    sockets: Vec<Socket>,
    /// Whether there were datagrams since the tables were last read.
    is_stale: bool,
}

#[derive(Debug)]
struct Socket {
    address: String,
    inode: u64,
    /// The kernel's count when this relay began to listen, and now.
    before: u64,
    now: u64,
}

impl KernelDrops {
    pub(super) fn of(listening: &[Listening]) -> Self {
        let socket = |one: &Listening| {
            let inode = fstat(&one.udp).map_or(0, |stat| stat.st_ino);
            Socket { address: one.address.to_string(), inode, before: 0, now: 0 }
        };
        let mut drops = Self { sockets: listening.iter().map(socket).collect(), is_stale: true };
        drops.read();
        for socket in &mut drops.sockets {
            socket.before = socket.now;
        }
        drops
    }

    /// Notes that datagrams were read.
    pub(super) const fn note(&mut self) {
        self.is_stale = true;
    }

    /// Reads the counts, if they may have changed.
    pub(super) fn read(&mut self) {
        if !std::mem::take(&mut self.is_stale) || self.sockets.is_empty() {
            return;
        }
        for table in TABLES {
            for (inode, drops) in fs::read_to_string(table).unwrap_or_default().lines().filter_map(parse) {
                for socket in self.sockets.iter_mut().filter(|socket| socket.inode == inode) {
                    socket.now = drops;
                }
            }
        }
    }

    /// The address of each input, with the number of datagrams dropped there.
    pub(super) fn counts(&self) -> Vec<(String, u64)> {
        let count = |socket: &Socket| (socket.address.clone(), socket.now.saturating_sub(socket.before));
        self.sockets.iter().map(count).collect()
    }
}

/// The inode and the drops of one line of a table.
fn parse(line: &str) -> Option<(u64, u64)> {
    let mut columns = line.split_whitespace();
    let inode = columns.nth(INODE)?.parse().ok()?;
    Some((inode, columns.last()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_the_kernel_writes_them() {
        let head = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops            ";
        let line = " 5171: 0100007F:A1C3 00000000:0000 07 00000000:00034500 00:00000000 00000000     0        0 79123 2 0000000000000000 1846";
        assert_eq!((parse(head), parse(line), parse("")), (None, Some((79_123, 1_846)), None));
    }
}
