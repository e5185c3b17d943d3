//! The position of a spool, before which all lines are committed, as a small file of two slots that are written
//! alternately.
//!
//! The number only grows, so the larger valid slot is the newer one. A write that was cut off by a loss of
//! power costs one step back: some lines are sent again, none is lost.

use super::{record::SEQUENCE_MAX, store::Store};
use std::io;

/// The name of the file.
pub(super) const NAME: &str = "position";

/// A number of 8 bytes, its CRC-32 of 4 bytes, and 4 unused bytes.
const SLOT_BYTES: usize = 16;

/// Reads the number; `None` if neither slot is valid.
pub(super) fn load(store: &mut dyn Store) -> io::Result<Option<u64>> {
    let mut slots = [0; 2 * SLOT_BYTES];
    let bytes = store.read_at(NAME, 0, &mut slots)?;
    Ok(slots[..bytes].chunks_exact(SLOT_BYTES).filter_map(decode).max())
}

/// Writes the number to one of the two slots.
pub(super) fn save(store: &mut dyn Store, position: u64, is_second: bool) -> io::Result<()> {
    let mut slot = [0; SLOT_BYTES];
    slot[..8].copy_from_slice(&position.to_le_bytes());
    slot[8..12].copy_from_slice(&crc32fast::hash(&position.to_le_bytes()).to_le_bytes());
    store.write_at(NAME, if is_second { SLOT_BYTES as u64 } else { 0 }, &[&slot])
}

fn decode(slot: &[u8]) -> Option<u64> {
    let (number, rest) = slot.split_first_chunk::<8>()?;
    let crc = rest.first_chunk::<4>()?;
    let position = u64::from_le_bytes(*number);
    (crc32fast::hash(number) == u32::from_le_bytes(*crc) && position <= SEQUENCE_MAX).then_some(position)
}
