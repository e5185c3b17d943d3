//! One record: whole lines as they were appended, with the checksums that are needed to trust them again.
//!
//! ```text
//!  0  magic          4  "SRR1"
//!  4  bytes          4  of the lines
//!  8  lines          4
//! 12  lines' crc     4  CRC-32 (IEEE) of the lines' bytes
//! 16  sequence       8  the number of the first line; a line's number is never used again
//! 24  time           8  seconds since 1970 when it was appended
//! 32  header's crc   4  CRC-32 (IEEE) of the 32 bytes above
//! 36  the lines, each with its LF
//! ```
//!
//! Numbers are little-endian. The header has its own checksum, so that after damage the next record can be
//! found by its magic alone. A new format needs a new magic.

use std::ops::Range;

/// The size of the header in bytes.
pub(super) const HEADER_BYTES: usize = 36;

/// The longest record in bytes; a larger length is damage.
pub(super) const RECORD_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The highest number of a line; a higher one is damage. A thousand million lines a second do not reach it in a
/// hundred years, and a `u64` has room for any sum with it.
pub(super) const SEQUENCE_MAX: u64 = 1 << 62;

pub(super) const MAGIC: [u8; 4] = *b"SRR1";

const CHECKED: Range<usize> = 0..32;

/// The header of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The bytes of the lines.
    pub(super) bytes: u32,
    /// The number of lines.
    pub(super) lines: u32,
    /// The checksum of the lines.
    pub(super) crc: u32,
    /// The number of the first line.
    pub(super) sequence: u64,
    /// When it was appended, in seconds since 1970.
    pub(super) time_s: u64,
}

impl Header {
    /// The header for these lines.
    pub(super) fn of(bytes: &[u8], lines: u32, sequence: u64, time_s: u64) -> Self {
        debug_assert!(bytes.len() <= RECORD_BYTES_MAX, "the caller parts what is longer");
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        Self { bytes: length, lines, crc: crc32fast::hash(bytes), sequence, time_s }
    }

    pub(super) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut encoded = [0; HEADER_BYTES];
        encoded[..4].copy_from_slice(&MAGIC);
        encoded[4..8].copy_from_slice(&self.bytes.to_le_bytes());
        encoded[8..12].copy_from_slice(&self.lines.to_le_bytes());
        encoded[12..16].copy_from_slice(&self.crc.to_le_bytes());
        encoded[16..24].copy_from_slice(&self.sequence.to_le_bytes());
        encoded[24..32].copy_from_slice(&self.time_s.to_le_bytes());
        let crc = crc32fast::hash(&encoded[CHECKED]);
        encoded[32..].copy_from_slice(&crc.to_le_bytes());
        encoded
    }

    /// The header at the start of `bytes`, if there is a valid one.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..HEADER_BYTES)?;
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let long = |at: usize| u64::from(word(at)) | u64::from(word(at + 4)) << 32;
        let header =
            Self { bytes: word(4), lines: word(8), crc: word(12), sequence: long(16), time_s: long(24) };
        let is_sound = bytes[..4] == MAGIC
            && word(32) == crc32fast::hash(&bytes[CHECKED])
            && header.bytes as usize <= RECORD_BYTES_MAX
            && header.lines > 0
            // Each line has its LF.
            && header.lines <= header.bytes
            && header.sequence <= SEQUENCE_MAX;
        is_sound.then_some(header)
    }

    /// The number after that of the last line.
    pub(super) const fn end(&self) -> u64 {
        self.sequence + self.lines as u64
    }

    /// The size of the whole record in bytes.
    pub(super) const fn record_bytes(&self) -> u64 {
        HEADER_BYTES as u64 + self.bytes as u64
    }

    /// Whether these are the lines that were appended, by checksum and number.
    pub(super) fn fits(&self, lines: &[u8]) -> bool {
        lines.len() == self.bytes as usize
            && crc32fast::hash(lines) == self.crc
            && lines.ends_with(b"\n")
            && memchr::memchr_iter(b'\n', lines).count() == self.lines as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flipped_bit_shows() {
        let lines = b"a.b 1 2\nc.d 3 4\n";
        let header = Header::of(lines, 2, 7, 1_700_000_000);
        let mut encoded = header.encode();
        assert_eq!(Header::decode(&encoded), Some(header));
        assert!(header.fits(lines));
        for bit in 0..HEADER_BYTES * 8 {
            encoded[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::decode(&encoded), None, "bit {bit}");
            encoded[bit / 8] ^= 1 << (bit % 8);
        }
        assert!(!header.fits(b"a.b 1 2\nc.d 3 5\n"));
        assert!(!Header { lines: 3, ..header }.fits(lines));
        assert_eq!(Header::decode(&encoded[..HEADER_BYTES - 1]), None);
    }
}
