//! Converts an item of a pickle, `(metric, (timestamp, value))`, to a line.
//!
//! Tuples and lists mean the same here. The metric is text; value and timestamp are text, which is copied as it
//! is, or numbers. Python 3's `bytes` are not text, and None and booleans are not numbers. Whether the line is
//! valid is left to the validator: a name with a space makes a line of four fields, which is invalid like any
//! other. A text that contains a line end is refused here, because it would become two lines, and two
//! datapoints, where the sender meant one.

use super::{
    heap::{Heap, Id, Span, Value},
    long,
};
use crate::validate::Reason;
use std::io::Write as _;

/// The cost of an ordinary number, in bytes of text.
const NUMBER_COST: usize = 16;

/// What a datapoint may still use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// The longest line in bytes, without its LF.
    pub(super) line: usize,
    /// The work that is left for the whole frame, in bytes of text.
    pub(super) frame: usize,
}

/// Appends `item` as a line with its LF, and subtracts the cost from `room.frame`.
pub(super) fn push_line(heap: &Heap<'_>, item: Id, room: &mut Room, out: &mut Vec<u8>) -> Result<(), Reason> {
    let [name, datapoint] = heap.pair(item).ok_or(Reason::BadPickle)?;
    let [timestamp, value] = heap.pair(datapoint).ok_or(Reason::BadPickle)?;
    let name = text(heap, name).ok_or(Reason::BadPickle)?;
    let value = Field::of(heap, value).ok_or(Reason::BadPickle)?;
    let timestamp = Field::of(heap, timestamp).ok_or(Reason::BadPickle)?;
    // Checked before anything is read or copied: a text may be long and occur in the list a million times.
    if name.len().max(value.text_len()).max(timestamp.text_len()) > room.line {
        return Err(Reason::LineTooLong);
    }
    let cost = name.len() + value.cost() + timestamp.cost() + 3;
    room.frame = room.frame.checked_sub(cost).ok_or(Reason::BadPickle)?;
    let start = out.len();
    out.extend_from_slice(name);
    out.push(b' ');
    value.push(out);
    out.push(b' ');
    timestamp.push_whole(out);
    let line = &out[start..];
    let refused = match memchr::memchr(b'\n', line) {
        Some(_) => Some(Reason::BadPickle),
        None if line.len() > room.line => Some(Reason::LineTooLong),
        None => None,
    };
    if let Some(reason) = refused {
        out.truncate(start);
        return Err(reason);
    }
    out.push(b'\n');
    Ok(())
}

fn text<'h>(heap: &'h Heap<'_>, id: Id) -> Option<&'h [u8]> {
    match heap.get(id) {
        Value::Text(span) => Some(heap.in_frame(span)),
        Value::Decoded(span) => Some(heap.in_decoded(span)),
        _ => None,
    }
}

/// A value or a timestamp.
#[derive(Clone, Copy, Debug)]
enum Field<'h> {
    Text(&'h [u8]),
    Int(i64),
    Long(&'h [u8]),
    Float(f64),
}

impl<'h> Field<'h> {
    fn of(heap: &'h Heap<'_>, id: Id) -> Option<Self> {
        let in_frame = |span: Span| heap.in_frame(span);
        Some(match heap.get(id) {
            Value::Text(span) => Self::Text(in_frame(span)),
            Value::Decoded(span) | Value::Digits(span) => Self::Text(heap.in_decoded(span)),
            Value::Int(number) => Self::Int(number),
            Value::Long(span) => Self::Long(in_frame(span)),
            Value::Float(number) => Self::Float(number),
            Value::List(_) | Value::Tuple(_) | Value::Dict | Value::Global | Value::Other => return None,
        })
    }

    /// The length of a text, which has no limit yet; numbers are short, so theirs is 0.
    const fn text_len(self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Int(_) | Self::Long(_) | Self::Float(_) => 0,
        }
    }

    const fn cost(self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Int(_) | Self::Float(_) => NUMBER_COST,
            Self::Long(bytes) => long::cost(bytes.len()),
        }
    }

    fn push(self, out: &mut Vec<u8>) {
        match self {
            Self::Text(text) => out.extend_from_slice(text),
            Self::Int(number) => write(out, format_args!("{number}")),
            Self::Long(bytes) => long::push_long(bytes, out),
            Self::Float(number) => push_float(number, out),
        }
    }

    /// Appends the number as a timestamp: whole seconds, halves rounded to even.
    fn push_whole(self, out: &mut Vec<u8>) {
        match self {
            Self::Float(number) if number.is_finite() => {
                write(out, format_args!("{:.0}", number.round_ties_even()));
            }
            field => field.push(out),
        }
    }
}

/// Appends the shortest decimal that reads back as the same number (BUG-25).
pub(crate) fn push_float(number: f64, out: &mut Vec<u8>) {
    if number.is_nan() {
        out.extend_from_slice(b"NaN");
    } else if number.is_infinite() {
        out.extend_from_slice(if number > 0.0 { b"+Inf" } else { b"-Inf" });
    } else if number == 0.0 || (1e-5..1e17).contains(&number.abs()) {
        write(out, format_args!("{number}"));
    } else {
        write(out, format_args!("{number:e}"));
    }
}

/// Writing to memory cannot fail.
fn write(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::pickle::machine;

    const ROOM: Room = Room { line: 40, frame: 1_000 };

    fn line(item: &[u8], mut room: Room) -> Result<String, Reason> {
        let pickle = [b"]", item, b"a."].concat();
        let loaded = machine::load(&pickle).unwrap();
        let (item, mut out) = (loaded.heap.list(loaded.list).next().unwrap(), b"before".to_vec());
        let pushed = push_line(&loaded.heap, item, &mut room, &mut out);
        let text = String::from_utf8(out).unwrap();
        let line = text.strip_prefix("before").unwrap().to_owned();
        assert_eq!(pushed.is_err(), line.is_empty());
        pushed.map(|()| line)
    }

    #[track_caller]
    fn check(item: &[u8], want: Result<&str, Reason>) {
        assert_eq!(line(item, ROOM), want.map(|line| format!("{line}\n")), "{}", item.escape_ascii());
    }

    #[track_caller]
    fn check_float(number: f64, value: &str, timestamp: &str) {
        let bytes = number.to_be_bytes();
        check(&[b"U\x01aK\x01G", &bytes[..], b"\x86\x86"].concat(), Ok(&format!("a {value} 1")));
        let room = Room { line: 400, ..ROOM };
        let got = line(&[b"U\x01aG", &bytes[..], b"K\x01\x86\x86"].concat(), room);
        assert_eq!(got, Ok(format!("a 1 {timestamp}\n")));
    }

    #[test]
    fn pairs_may_be_tuples_or_lists() {
        check(b"U\x01aK\x01K\x02\x86\x86", Ok("a 2 1"));
        check(b"](U\x01a](K\x01K\x02ee", Ok("a 2 1"));
        for item in [
            &b"U\x01a"[..],
            b"N",
            b")",
            b"U\x01aK\x01\x86",
            b"U\x01aK\x01K\x02\x87",
            b"}",
            b"U\x01aK\x01\x85\x86",
        ] {
            check(item, Err(Reason::BadPickle));
        }
    }

    #[test]
    fn metrics_are_text_and_numbers_are_text_or_numbers() {
        check(b"\x8c\x01aU\x03abcU\x00\x86\x86", Ok("a  abc"));
        check(b"S'a'\nI-42\nL18446744073709551616L\n\x86\x86", Ok("a 18446744073709551616 -42"));
        check(b"Va\nI+0099999999999999999999\n\x8a\x01\xff\x86\x86", Ok("a -1 99999999999999999999"));
        for item in [
            &b"C\x01aK\x01K\x02\x86\x86"[..],
            b"K\x01K\x01K\x02\x86\x86",
            b"U\x01aNK\x02\x86\x86",
            b"U\x01aK\x01\x88\x86\x86",
            b"U\x01aK\x01I01\n\x86\x86",
            b"U\x01aK\x01]\x86\x86",
            b"U\x01aK\x01C\x011\x86\x86",
        ] {
            check(item, Err(Reason::BadPickle));
        }
    }

    #[test]
    fn floats_are_written_so_that_nothing_is_lost() {
        check_float(47.0, "47", "47");
        check_float(0.1, "0.1", "0");
        check_float(-0.0, "-0", "-0");
        check_float(1e-9, "1e-9", "0");
        check_float(1.5, "1.5", "2");
        check_float(2.5, "2.5", "2");
        check_float(f64::MIN_POSITIVE, "2.2250738585072014e-308", "0");
        check_float(123_456_789.987_654, "123456789.987654", "123456790");
        check_float(1e30, "1e30", "1000000000000000019884624838656");
        check_float(f64::NAN, "NaN", "NaN");
        check_float(f64::INFINITY, "+Inf", "+Inf");
        check_float(f64::NEG_INFINITY, "-Inf", "-Inf");
    }

    #[test]
    fn no_text_makes_two_lines() {
        check(b"U\x03a\nbK\x01K\x02\x86\x86", Err(Reason::BadPickle));
        check(b"U\x01aK\x01U\x07\x31\nb 1 1\x86\x86", Err(Reason::BadPickle));
        check(b"S'a\\n'\nK\x01K\x02\x86\x86", Err(Reason::BadPickle));
    }

    #[test]
    fn long_lines_are_refused_without_a_look() {
        let item = |len: u8| [b"U", &[len][..], &vec![b'a'; len.into()], b"K\x01K\x02\x86\x86"].concat();
        assert!(line(&item(36), ROOM).is_ok());
        assert_eq!(line(&item(37), ROOM), Err(Reason::LineTooLong));
        assert_eq!(line(&item(200), ROOM), Err(Reason::LineTooLong));
        assert_eq!(line(&item(36), Room { frame: 50, ..ROOM }), Err(Reason::BadPickle));
        let long = [b"U\x01aK\x01\x8a\xff", &[0x7f; 255][..], b"\x86\x86"].concat();
        assert_eq!(line(&long, Room { frame: 10_000, ..ROOM }), Err(Reason::LineTooLong));
    }
}
