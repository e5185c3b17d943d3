//! Encodes lines as pickle frames for a destination (spec §11.5).
//!
//! A frame is a list of `(metric, (timestamp, value))` in pickle protocol 2. The list is written as an empty
//! list to which items are appended. So it passes the check that carbon-relay-ng's input makes of the first
//! bytes, which the pickles of carbon-relay-ng itself do not (BUG-23).
//!
//! ```text
//! length  80 02 5D  28  { metric timestamp value 86 86 }...  65 2E
//! ```
//!
//! How a metric is written depends on its bytes, so that all readers get the same text:
//! * ASCII as Python 2's `str` (`SHORT_BINSTRING`, `BINSTRING`), which every reader decodes as a `str`;
//! * other UTF-8 as `BINUNICODE`, which Python 2's carbon encodes again;
//! * anything else as Python 2's `str` in a frame of its own. Python 3 cannot read such a name, so its carbon
//!   discards the frame; since the frame has no other metric, nothing else is lost. carbon-relay-ng and Python
//!   2 get the bytes unchanged.
//!
//! Timestamps are whole seconds; a fraction is cut off (BUG-32). Values are 64-bit floats.

use super::opcode;
use crate::validate::{self, fields, number};

/// carbon closes a connection that announces a longer frame, unless `PICKLE_RECEIVER_MAX_LENGTH` says
/// otherwise.
const FRAME_BYTES_MAX: usize = 1 << 20;

/// The most bytes that a datapoint occupies besides its metric: opcodes and lengths, timestamp, value, tuples.
const POINT_BYTES: usize = 5 + 7 + 9 + 2;

/// The bytes before the first datapoint: length, protocol, list and mark. [`END`] is what follows the last one.
const START: [u8; 8] = [0, 0, 0, 0, opcode::PROTO, 2, opcode::EMPTY_LIST, opcode::MARK];
const END: [u8; 2] = [opcode::APPENDS, opcode::STOP];

/// How many lines were encoded and how many were not. Together they are all lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Encoded {
    /// Lines that became datapoints in frames.
    pub points: u32,
    /// Lines in no frame: a value or timestamp is not a number or does not fit, the line does not have three
    /// fields, or the metric is longer than a frame. They are dropped, not sent (BUG-45).
    pub bad: u32,
}

/// Appends `lines` to `out` as complete frames, in order. Each line ends with an LF; the last may lack it.
///
/// The result is one frame if it is no longer than carbon accepts and every metric is text, and no frame if no
/// line can be encoded.
pub fn encode(lines: &[u8], out: &mut Vec<u8>) -> Encoded {
    let mut frames = Frames { out, start: None };
    let mut encoded = Encoded::default();
    for line in lines.split_inclusive(|&byte| byte == b'\n') {
        match Point::of(line.strip_suffix(b"\n").unwrap_or(line)) {
            Some(point) => {
                frames.push(&point);
                encoded.points += 1;
            }
            None => encoded.bad += 1,
        }
    }
    frames.end();
    encoded
}

/// A datapoint.
#[derive(Clone, Copy, Debug)]
struct Point<'l> {
    name: &'l [u8],
    seconds: u32,
    value: f64,
}

impl<'l> Point<'l> {
    fn of(line: &'l [u8]) -> Option<Self> {
        canonical(line).and_then(Self::of_fields).or_else(|| Self::of_fields(fields::split(line)?))
    }

    fn of_fields([name, value, timestamp]: [&'l [u8]; 3]) -> Option<Self> {
        let fits = name.len() <= FRAME_BYTES_MAX - START.len() - POINT_BYTES - END.len();
        let (value, seconds) = (number::parse(value)?, validate::seconds(timestamp).ok()?);
        fits.then_some(Self { name, seconds, value })
    }
}

/// The fields of a line in the form that the pipeline writes, if the metric is graphic ASCII. White space in
/// the other two fields is found when they are parsed as numbers.
fn canonical(line: &[u8]) -> Option<[&[u8]; 3]> {
    let (name, rest) = line.split_at_checked(memchr::memchr(b' ', line)?)?;
    let (value, timestamp) = rest[1..].split_at_checked(memchr::memchr(b' ', &rest[1..])?)?;
    let is_plain = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    is_plain.then_some([name, value, &timestamp[1..]])
}

/// Frames that are being written.
struct Frames<'o> {
    out: &'o mut Vec<u8>,
    /// The offset of the current frame in `out`.
    start: Option<usize>,
}

impl Frames<'_> {
    fn push(&mut self, point: &Point<'_>) {
        let is_text = point.name.is_ascii() || str::from_utf8(point.name).is_ok();
        if !is_text || !self.has_room(point) {
            self.end();
        }
        if self.start.is_none() {
            self.start = Some(self.out.len());
            self.out.extend_from_slice(&START);
        }
        self.push_name(point.name, is_text);
        self.push_seconds(point.seconds);
        self.out.push(opcode::BINFLOAT);
        self.out.extend_from_slice(&point.value.to_be_bytes());
        self.out.extend_from_slice(&[opcode::TUPLE2, opcode::TUPLE2]);
        if !is_text {
            self.end();
        }
    }

    fn has_room(&self, point: &Point<'_>) -> bool {
        let taken = self.start.map_or(0, |start| self.out.len() - start);
        taken + point.name.len() + POINT_BYTES + END.len() <= FRAME_BYTES_MAX
    }

    fn push_name(&mut self, name: &[u8], is_text: bool) {
        let length = u32::try_from(name.len()).unwrap_or(u32::MAX).to_le_bytes();
        match u8::try_from(name.len()) {
            _ if is_text && !name.is_ascii() => {
                self.out.push(opcode::BINUNICODE);
                self.out.extend_from_slice(&length);
            }
            Ok(length) => self.out.extend_from_slice(&[opcode::SHORT_BINSTRING, length]),
            Err(_) => {
                self.out.push(opcode::BINSTRING);
                self.out.extend_from_slice(&length);
            }
        }
        self.out.extend_from_slice(name);
    }

    fn push_seconds(&mut self, seconds: u32) {
        let [a, b, c, d] = seconds.to_le_bytes();
        match seconds {
            0..=0xff => self.out.extend_from_slice(&[opcode::BININT1, a]),
            0x100..=0xffff => self.out.extend_from_slice(&[opcode::BININT2, a, b]),
            0x1_0000..=0x7fff_ffff => self.out.extend_from_slice(&[opcode::BININT, a, b, c, d]),
            // In four bytes it would be a negative number.
            _ => self.out.extend_from_slice(&[opcode::LONG1, 5, a, b, c, d, 0]),
        }
    }

    /// Ends the current frame, if there is one, and writes its length.
    fn end(&mut self) {
        let Some(start) = self.start.take() else { return };
        self.out.extend_from_slice(&END);
        let length = u32::try_from(self.out.len() - start - 4).unwrap_or(u32::MAX);
        self.out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(lines: &[u8], want: &[u8], points: u32, bad: u32) {
        let mut out = b"before".to_vec();
        assert_eq!(encode(lines, &mut out), Encoded { points, bad }, "{}", lines.escape_ascii());
        assert_eq!(out.escape_ascii().to_string(), [b"before", want].concat().escape_ascii().to_string());
    }

    #[test]
    fn a_batch_is_one_frame() {
        check(
            b"a.b 1.5 1500000000\nc 0 7\n",
            b"\0\0\0\x2b\x80\x02](U\x03a.bJ\x00\x2f\x68\x59G\x3f\xf8\0\0\0\0\0\0\x86\x86\
              U\x01cK\x07G\0\0\0\0\0\0\0\0\x86\x86e.",
            2,
            0,
        );
        check(b"", b"", 0, 0);
        check(b"a 1 x\n", b"", 0, 1);
    }

    #[test]
    fn timestamps_take_what_they_need_and_lose_their_fraction() {
        let frame = |seconds: &[u8]| {
            let body = [b"\x80\x02](U\x01a", seconds, b"G\x3f\xf0\0\0\0\0\0\0\x86\x86e."].concat();
            [&u32::try_from(body.len()).unwrap().to_be_bytes()[..], &body].concat()
        };
        for (timestamp, want) in [
            ("255", &b"K\xff"[..]),
            ("256", b"M\0\x01"),
            ("65536", b"J\0\0\x01\0"),
            ("2147483647", b"J\xff\xff\xff\x7f"),
            ("2147483648", b"\x8a\x05\0\0\0\x80\0"),
            ("4294967295", b"\x8a\x05\xff\xff\xff\xff\0"),
            ("255.9", b"K\xff"),
            ("1e2", b"K\x64"),
        ] {
            check(format!("a 1 {timestamp}").as_bytes(), &frame(want), 1, 0);
        }
    }

    #[test]
    fn names_are_written_by_what_they_are() {
        let first_opcode = |name: &[u8]| {
            let mut out = Vec::new();
            encode(&[name, b" 1 2\n"].concat(), &mut out);
            out[START.len()]
        };
        assert_eq!(first_opcode(&[b'a'; 255]), opcode::SHORT_BINSTRING);
        assert_eq!(first_opcode(&[b'a'; 256]), opcode::BINSTRING);
        assert_eq!(first_opcode("é".as_bytes()), opcode::BINUNICODE);
        assert_eq!(first_opcode(b"\xff"), opcode::SHORT_BINSTRING);
    }

    #[test]
    fn a_name_that_is_no_text_stands_alone() {
        let mut out = Vec::new();
        let encoded = encode(b"a 1 1\nb 1 1\n\xff 1 1\nc 1 1\n", &mut out);
        assert_eq!(encoded, Encoded { points: 4, bad: 0 });
        let mut frames = Vec::new();
        for line in [&b"a 1 1\nb 1 1\n"[..], b"\xff 1 1\n", b"c 1 1\n"] {
            encode(line, &mut frames);
        }
        assert_eq!(out, frames);
    }

    #[test]
    fn what_does_not_fit_is_left_out_and_counted() {
        let good = b"a 1 1\n";
        let mut want = Vec::new();
        encode(good, &mut want);
        for bad in ["a 1 -1", "a 1 4294967296", "a 1e999 1", "a x 1", "a 1", "", "a 1 1 1", "a 1 nan"] {
            check(&[bad.as_bytes(), b"\n", good].concat(), &want, 1, 1);
        }
        let long = [&vec![b'a'; FRAME_BYTES_MAX][..], b" 1 1\n"].concat();
        check(&[&long[..], good].concat(), &want, 1, 1);
    }

    #[test]
    fn no_frame_is_longer_than_carbon_takes() {
        let lines: Vec<u8> = (0..200_000).flat_map(|at| format!("a{at} 1 1\n").into_bytes()).collect();
        let mut out = Vec::new();
        assert_eq!(encode(&lines, &mut out).points, 200_000);
        let (mut rest, mut frames) = (out.as_slice(), 0);
        while let Some(length) = rest.first_chunk() {
            let length = u32::from_be_bytes(*length) as usize;
            assert!(length <= FRAME_BYTES_MAX);
            rest = &rest[4 + length..];
            frames += 1;
        }
        assert!(rest.is_empty() && frames == out.len().div_ceil(FRAME_BYTES_MAX));
    }
}
