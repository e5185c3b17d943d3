//! Reads a spool in order, several records at a time, and skips what is damaged.
//!
//! Every record is checked before its lines are returned.

use super::{
    Piece,
    record::{HEADER_BYTES, Header},
    segment::{Place, Segment, next_record},
    store::Store,
};
use crate::gather::Chunk;
use std::{collections::VecDeque, io, ops::Range, sync::Arc};

/// The size of one read from disk in bytes, unless a record is longer.
const READ_BYTES: usize = 256 * 1024;

/// Where to continue reading.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// The number of the next line.
    pub(super) next: u64,
    /// The file, by its first line, and the place in it.
    place: Option<(u64, Spot)>,
    /// The bytes of that file from `buffer_at` on.
    buffer: Vec<u8>,
    buffer_at: u64,
}

/// Where to search for the next line.
#[derive(Clone, Copy, Debug)]
struct Spot {
    /// The start of a record at or before that line, or of damage.
    offset: u64,
    /// The start of the damage before it, if there is any.
    sound_end: u64,
}

/// The result of one step.
#[derive(Debug)]
pub(super) enum Step {
    /// Lines.
    Piece(Piece),
    /// Lines that are missing, or not as they were written.
    Damaged { lines: Range<u64> },
    /// Lines that expired.
    Expired { lines: Range<u64> },
    /// There is nothing more.
    End,
}

/// How far a step may go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Lines before this one are repeats.
    pub(super) acknowledged: u64,
    /// No piece goes beyond this line.
    pub(super) stop: u64,
    pub(super) bytes_max: usize,
    pub(super) oldest_s: u64,
}

/// The lines that a step has collected so far.
#[derive(Default)]
struct Gathering {
    bytes: Vec<u8>,
    lines: u32,
}

impl Reader {
    /// A reader that starts at this line.
    pub(super) fn at(next: u64) -> Self {
        Self { next, ..Self::default() }
    }

    /// Reads one step further. Skips records from before `oldest_s`.
    pub(super) fn step(
        &mut self,
        store: &mut dyn Store,
        segments: &VecDeque<Segment>,
        Bounds { acknowledged, stop, bytes_max, oldest_s }: Bounds,
    ) -> io::Result<Step> {
        let at = segments.partition_point(|segment| segment.end <= self.next);
        let Some(segment) = segments.get(at) else { return Ok(Step::End) };
        if self.next < segment.first {
            return Ok(self.damaged_until(segment.first));
        }
        // A wrong header must not lead into the next file.
        let stop = stop.min(segment.end);
        let mut spot = match self.place {
            Some((first, spot)) if first == segment.first => spot,
            _ => {
                self.buffer.clear();
                Spot::at(segment.offset_near(self.next))
            }
        };
        let is_repeat = self.next < acknowledged;
        let sequence = self.next;
        let mut gathering = Gathering::default();
        let gap = loop {
            self.place = Some((segment.first, spot));
            let Spot { offset, sound_end } = spot;
            let place = Place { offset: sound_end, next: self.next };
            let header = match self.bytes_at(store, segment, offset, HEADER_BYTES) {
                // The lines so far are valid; the next step will meet the error again.
                Err(_) if gathering.lines > 0 => break None,
                bytes => Header::decode(bytes?),
            };
            let is_whole = |header: &Header| offset + header.record_bytes() <= segment.bytes;
            let fits = |header: &Header| is_whole(header) && place.leads_to(offset, header);
            let Some(header) = header.filter(fits) else {
                if gathering.lines > 0 {
                    break None;
                }
                let until = end_of_damage(store, segment, place, offset)?;
                set_aside(store, segment, offset..until)?;
                if until >= segment.bytes {
                    break Some(segment.end);
                }
                spot.offset = until;
                continue;
            };
            let record_end = offset + header.record_bytes();
            let end = header.end().min(segment.end);
            if end <= self.next {
                spot = Spot::at(record_end);
                continue;
            }
            if header.sequence > self.next {
                let end = header.sequence.min(segment.end);
                break if gathering.lines == 0 { Some(end) } else { None };
            }
            if header.time_s < oldest_s {
                if gathering.lines > 0 {
                    break None;
                }
                let lines = self.next..end;
                self.next = end;
                return Ok(Step::Expired { lines });
            }
            let record_bytes = usize::try_from(header.record_bytes()).unwrap_or(usize::MAX);
            if gathering.lines > 0 && gathering.bytes.len() + record_bytes > bytes_max {
                break None;
            }
            let skipped = self.next - header.sequence;
            let taken = end.min(stop) - self.next;
            let lines = match self.bytes_at(store, segment, offset, record_bytes) {
                Err(_) if gathering.lines > 0 => break None,
                bytes => bytes?.get(HEADER_BYTES..).unwrap_or_default(),
            };
            if !header.fits(lines) {
                if gathering.lines > 0 {
                    break None;
                }
                set_aside(store, segment, offset..record_end)?;
                spot.offset = record_end;
                if record_end >= segment.bytes {
                    break Some(segment.end);
                }
                continue;
            }
            gathering.add(lines, skipped, taken);
            self.next += taken;
            if self.next == stop {
                break None;
            }
            spot = Spot::at(record_end);
            if record_end >= segment.bytes {
                break None;
            }
        };
        if gathering.lines == 0 {
            return Ok(match gap {
                Some(end) => self.damaged_until(end),
                None => Step::End,
            });
        }
        let chunk = Chunk::new(Arc::new(gathering.bytes), gathering.lines);
        Ok(Step::Piece(Piece { sequence, is_repeat, chunk }))
    }

    fn damaged_until(&mut self, end: u64) -> Step {
        let lines = self.next..end;
        self.next = end;
        Step::Damaged { lines }
    }

    /// The bytes of a file from `offset` on: `bytes` of them, or fewer at its end.
    fn bytes_at(
        &mut self,
        store: &mut dyn Store,
        segment: &Segment,
        offset: u64,
        bytes: usize,
    ) -> io::Result<&[u8]> {
        let has = |at: u64, buffer: &[u8]| offset >= at && offset + bytes as u64 <= at + buffer.len() as u64;
        if !has(self.buffer_at, &self.buffer) {
            let rest = usize::try_from(segment.bytes.saturating_sub(offset)).unwrap_or(usize::MAX);
            self.buffer.resize(bytes.max(READ_BYTES).min(rest), 0);
            self.buffer_at = offset;
            let got = match store.read_at(&segment.name(), offset, &mut self.buffer) {
                Ok(got) => got,
                Err(error) => {
                    self.buffer.clear();
                    return Err(error);
                }
            };
            self.buffer.truncate(got);
        }
        let from = usize::try_from(offset - self.buffer_at).unwrap_or(usize::MAX).min(self.buffer.len());
        let rest = &self.buffer[from..];
        Ok(&rest[..bytes.min(rest.len())])
    }
}

impl Spot {
    const fn at(offset: u64) -> Self {
        Self { offset, sound_end: offset }
    }
}

impl Gathering {
    /// Adds `taken` lines after skipping `skipped`.
    fn add(&mut self, lines: &[u8], skipped: u64, taken: u64) {
        let start = end_of_line(lines, skipped);
        let end = start + end_of_line(&lines[start..], taken);
        self.bytes.extend_from_slice(&lines[start..end]);
        self.lines += u32::try_from(taken).unwrap_or(u32::MAX);
    }
}

/// The offset at which `lines` lines end.
fn end_of_line(bytes: &[u8], lines: u64) -> usize {
    match usize::try_from(lines).unwrap_or(usize::MAX) {
        0 => 0,
        lines => memchr::memchr_iter(b'\n', bytes).nth(lines - 1).map_or(bytes.len(), |at| at + 1),
    }
}

/// The offset of the next record that fits, or of the end of the file.
fn end_of_damage(store: &mut dyn Store, segment: &Segment, place: Place, offset: u64) -> io::Result<u64> {
    if offset >= segment.bytes {
        return Ok(segment.bytes);
    }
    let found = next_record(store, &segment.name(), place, offset + 1)?;
    Ok(found.map_or(segment.bytes, |(at, _)| at.min(segment.bytes)))
}

/// Copies damaged bytes to the same offset of a file of their own, for later examination. Returns whether all
/// of them could be copied; bytes that cannot be copied are lost all the same.
pub(super) fn set_aside(store: &mut dyn Store, segment: &Segment, range: Range<u64>) -> io::Result<bool> {
    let (mut from, mut buffer) = (range.start, Vec::new());
    while from < range.end {
        let rest = usize::try_from(range.end - from).unwrap_or(usize::MAX);
        buffer.resize(rest.min(READ_BYTES), 0);
        let got = store.read_at(&segment.name(), from, &mut buffer)?;
        if got == 0 || store.write_at(&segment.aside(), from, &[&buffer[..got]]).is_err() {
            return Ok(false);
        }
        from += got as u64;
    }
    Ok(true)
}
