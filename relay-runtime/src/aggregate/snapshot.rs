//! Saves open buckets as bytes and restores them, so that a restart does not lose them.
//!
//! ```text
//! magic and version, 8 bytes
//! sections: the rule's fingerprint (16 bytes), 1, the latest bucket emitted + 1 (u64), number of buckets (u64), buckets
//!   a bucket: start (u32), name (u32, bytes), numbers (u32, f64s), values (u32, f64s)
//! end: 16 zeros, 0
//! CRC-32 of all bytes before it
//! ```
//!
//! Numbers are little-endian. A rule's fingerprint covers its whole configuration: if any of it changed, its
//! buckets are left out. A damaged file is rejected as a whole. Buckets that are open only for corrections are
//! not saved.

use super::{Aggregates, Rule, state::RuleState};
use crate::table::Aggregator;
use std::fmt;

const MAGIC: [u8; 8] = *b"relayag\x01";

/// Identifies a rule by its configuration.
pub(super) type Fingerprint = [u8; 16];

/// Why saved buckets cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotError {
    /// Another version wrote the file, or it is not a snapshot.
    Unknown,
    /// The checksum is wrong, or the file ends early.
    Damaged,
}

pub(super) fn fingerprint(rule: &Aggregator) -> Fingerprint {
    md5::compute(serde_json::to_string(rule).unwrap_or_default()).0
}

pub(super) fn begin(out: &mut Vec<u8>) {
    out.extend_from_slice(&MAGIC);
}

/// Appends the open buckets of one shard.
pub(super) fn save(aggregates: &Aggregates, fingerprints: &[Fingerprint], out: &mut Vec<u8>) {
    for (state, fingerprint) in aggregates.states.iter().zip(fingerprints) {
        out.extend_from_slice(fingerprint);
        out.push(1);
        out.extend_from_slice(&state.emitted_until().map_or(0, |until| u64::from(until) + 1).to_le_bytes());
        let count_at = out.len();
        out.extend_from_slice(&0_u64.to_le_bytes());
        let mut count = 0_u64;
        state.each_open(|start, name, words, values| {
            count += 1;
            out.extend_from_slice(&start.to_le_bytes());
            push_list(out, name.len());
            out.extend_from_slice(name);
            for list in [words, values] {
                push_list(out, list.len());
                for number in list {
                    out.extend_from_slice(&number.to_le_bytes());
                }
            }
        });
        out[count_at..count_at + 8].copy_from_slice(&count.to_le_bytes());
    }
}

fn push_list(out: &mut Vec<u8>, len: usize) {
    out.extend_from_slice(&u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes());
}

pub(super) fn end(out: &mut Vec<u8>) {
    out.extend_from_slice(&[0; 17]);
}

/// One bucket of a snapshot.
pub(super) struct Saved<'a> {
    pub(super) start: u32,
    pub(super) name: &'a [u8],
    pub(super) words: Vec<f64>,
    pub(super) values: Vec<f64>,
}

/// Reads a snapshot: calls back for each section with its rule, if that still exists, and then with each of its
/// buckets.
pub(super) fn load<'a>(
    bytes: &'a [u8],
    fingerprints: &[Fingerprint],
    emitted: &mut dyn FnMut(usize, u32),
    each: &mut dyn FnMut(usize, &Saved<'a>),
) -> Result<(), SnapshotError> {
    let (content, sum) = bytes.split_last_chunk::<4>().ok_or(SnapshotError::Damaged)?;
    if !content.starts_with(&MAGIC) {
        return Err(SnapshotError::Unknown);
    }
    if crc32fast::hash(content) != u32::from_le_bytes(*sum) {
        return Err(SnapshotError::Damaged);
    }
    let mut reader = Reader(&content[MAGIC.len()..]);
    loop {
        let fingerprint: Fingerprint = reader.array()?;
        if reader.array::<1>()? == [0] {
            return Ok(());
        }
        let rule = fingerprints.iter().position(|one| *one == fingerprint);
        let until = u64::from_le_bytes(reader.array()?);
        if let (Some(rule), Some(until)) = (rule, until.checked_sub(1)) {
            emitted(rule, u32::try_from(until).unwrap_or(u32::MAX));
        }
        for _ in 0..u64::from_le_bytes(reader.array()?) {
            let saved = reader.saved()?;
            if let Some(rule) = rule {
                each(rule, &saved);
            }
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], SnapshotError> {
        let (array, rest) = self.0.split_first_chunk::<N>().ok_or(SnapshotError::Damaged)?;
        self.0 = rest;
        Ok(*array)
    }

    fn bytes(&mut self, len: usize) -> Result<&'a [u8], SnapshotError> {
        let (bytes, rest) = self.0.split_at_checked(len).ok_or(SnapshotError::Damaged)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn len(&mut self) -> Result<usize, SnapshotError> {
        Ok(u32::from_le_bytes(self.array()?) as usize)
    }

    fn numbers(&mut self) -> Result<Vec<f64>, SnapshotError> {
        let len = self.len()?.checked_mul(8).ok_or(SnapshotError::Damaged)?;
        let (numbers, _) = self.bytes(len)?.as_chunks::<8>();
        Ok(numbers.iter().map(|number| f64::from_le_bytes(*number)).collect())
    }

    fn saved(&mut self) -> Result<Saved<'a>, SnapshotError> {
        let start = u32::from_le_bytes(self.array()?);
        let len = self.len()?;
        Ok(Saved { start, name: self.bytes(len)?, words: self.numbers()?, values: self.numbers()? })
    }
}

/// Opens a saved bucket again, unless it was emitted since or has another shape. Returns whether it is open.
pub(super) fn restore(state: &mut RuleState, rule: &Rule, saved: &Saved<'_>, hash: u64) -> bool {
    let is_fit = saved.words.len() == rule.fold.words() && saved.start.is_multiple_of(rule.interval);
    is_fit && state.reopen(rule, saved, hash)
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "not saved by a relay of this version",
            Self::Damaged => "damaged",
        })
    }
}

impl std::error::Error for SnapshotError {}
