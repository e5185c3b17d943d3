//! Takes over the lines that a carbon-relay-ng left in its spool directory (spec §11.6).
//!
//! Its files are `spool_<key>.diskqueue.NNNNNN.dat`, with records of a big-endian length and a line without LF,
//! and `spool_<key>.diskqueue.meta.dat`, with the position of reading. The lines are appended to our spool
//! before any of its own; then the files are removed. A crash in between repeats lines and loses none.

use super::Spool;
use crate::gather::Chunk;
use std::{
    fs::{self, File},
    io::{self, BufReader, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::Arc,
};

/// The size of one record of ours in bytes.
const BATCH_BYTES: usize = 128 * 1024;

/// A longer line is damage.
const LINE_BYTES_MAX: u32 = 1024 * 1024;

/// The result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Adopted {
    /// The number of lines that are in our spool now.
    pub(crate) lines: u64,
    /// The number of files with damage, which are kept as `….bad`.
    pub(crate) damaged_files: u64,
}

/// Moves the lines of upstream's destination `key` in `directory` to the end of `spool`.
pub(crate) fn adopt(directory: &Path, key: &str, spool: &mut Spool, now_s: u64) -> io::Result<Adopted> {
    let prefix = format!("spool_{key}.diskqueue.");
    let mut numbers = Vec::new();
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        let digits = name.to_str().and_then(|name| name.strip_prefix(&prefix)?.strip_suffix(".dat"));
        numbers.extend(digits.and_then(|digits| digits.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    let meta = directory.join(format!("{prefix}meta.dat"));
    let path = |number: u64| directory.join(format!("{prefix}{number:06}.dat"));
    let (first, start) = fs::read_to_string(&meta)
        .ok()
        .and_then(|text| read_position(&text))
        // A place beyond the end of its file was not read.
        .filter(|(file, place)| fs::metadata(path(*file)).is_ok_and(|found| *place <= found.len()))
        .unwrap_or((0, 0));
    let mut adopted = Adopted::default();
    for &number in numbers.iter().filter(|number| **number >= first) {
        let is_whole =
            adopt_file(&path(number), if number == first { start } else { 0 }, spool, now_s, &mut adopted)?;
        if !is_whole {
            adopted.damaged_files += 1;
            fs::rename(path(number), path(number).with_extension("dat.bad"))?;
        }
    }
    for number in numbers {
        remove(&path(number))?;
    }
    remove(&meta)?;
    Ok(adopted)
}

/// Parses `depth`, then `file,place` of reading, then of writing. If it is damaged, everything is read from the
/// start, which loses nothing.
fn read_position(meta: &str) -> Option<(u64, u64)> {
    let (file, place) = meta.lines().nth(1)?.split_once(',')?;
    Some((file.trim().parse().ok()?, place.trim().parse().ok()?))
}

/// Returns whether the file was valid to its end.
fn adopt_file(
    path: &PathBuf,
    start: u64,
    spool: &mut Spool,
    now_s: u64,
    adopted: &mut Adopted,
) -> io::Result<bool> {
    let mut file = BufReader::new(File::open(path)?);
    file.seek(SeekFrom::Start(start))?;
    let (mut batch, mut lines) = (Vec::with_capacity(BATCH_BYTES), 0);
    let is_whole = loop {
        let mut length = [0; 4];
        match file.read_exact(&mut length) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break true,
            Err(error) => return Err(error),
        }
        let length = u32::from_be_bytes(length);
        if length == 0 || length > LINE_BYTES_MAX {
            break false;
        }
        let before = batch.len();
        if file.by_ref().take(u64::from(length)).read_to_end(&mut batch)? < length as usize {
            batch.truncate(before);
            break false;
        }
        if memchr::memchr(b'\n', &batch[before..]).is_some() {
            batch.truncate(before);
            break false;
        }
        batch.push(b'\n');
        lines += 1;
        if batch.len() >= BATCH_BYTES {
            spool.append(&Chunk::new(Arc::new(batch.clone()), lines), now_s)?;
            adopted.lines += u64::from(lines);
            batch.clear();
            lines = 0;
        }
    };
    if lines > 0 {
        spool.append(&Chunk::new(Arc::new(batch.clone()), lines), now_s)?;
        adopted.lines += u64::from(lines);
    }
    Ok(is_whole)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
