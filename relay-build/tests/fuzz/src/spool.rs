//! Fuzzes the reader of spool files with arbitrary contents, as a broken disk may leave them.
//!
//! The reader must not panic, and must count damage.

use relay_runtime::spool::{Contents, Store, read_out};
use std::{collections::BTreeMap, io};

/// Bytes that are files: records with sound headers that may lie, and anything else.
pub(crate) fn run(data: &[u8]) {
    let mut files = Files::default();
    let (mut number, mut rest) = (0, data);
    while let Some(([kind, a, b, length], after)) = rest.split_first_chunk() {
        let (body, after) = after.split_at(after.len().min(usize::from(*length)));
        rest = after;
        match kind % 8 {
            0 => number = u64::from(*a) * u64::from(*b),
            1 => files.position = body.to_vec(),
            2 => files.segment(number).extend_from_slice(body),
            _ => files.segment(number).extend(record(*kind, *a, *b, body)),
        }
    }
    let Ok(Contents { recovery, chunks, damaged }) = read_out(Box::new(files)) else { return };
    let mut lines = 0;
    for chunk in chunks {
        assert!(chunk.bytes().ends_with(b"\n"), "{}", chunk.bytes().escape_ascii());
        let newlines = line_count(chunk.bytes());
        assert_eq!(newlines, chunk.lines() as usize);
        lines += u64::from(chunk.lines());
    }
    assert_eq!(lines + damaged, recovery.lines, "every line is there or damaged");
}

/// A record whose header can be trusted, whatever it says.
fn record(kind: u8, a: u8, b: u8, body: &[u8]) -> Vec<u8> {
    let lines = if kind & 8 == 0 { line_count(body) } else { usize::from(b) };
    let length = if kind & 16 == 0 { body.len() } else { body.len() + usize::from(b) };
    let crc = if kind & 32 == 0 { crc32fast::hash(body) } else { 0 };
    let sequence = if kind & 64 == 0 { u64::from(a) } else { u64::MAX - u64::from(a) };
    let mut header = b"SRR1".to_vec();
    header.extend(u32::try_from(length).unwrap_or(0).to_le_bytes());
    header.extend(u32::try_from(lines).unwrap_or(0).to_le_bytes());
    header.extend(crc.to_le_bytes());
    header.extend(sequence.to_le_bytes());
    header.extend(u64::from(b).to_le_bytes());
    header.extend(crc32fast::hash(&header).to_le_bytes());
    header.extend_from_slice(body);
    header
}

fn line_count(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == b'\n').count() - 1
}

/// A directory in memory.
#[derive(Debug, Default)]
struct Files {
    segments: BTreeMap<String, Vec<u8>>,
    position: Vec<u8>,
}

impl Files {
    fn segment(&mut self, number: u64) -> &mut Vec<u8> {
        self.segments.entry(format!("{number:020}.spool")).or_default()
    }

    fn file(&mut self, name: &str) -> &mut Vec<u8> {
        if name == "position" {
            &mut self.position
        } else {
            self.segments.entry(name.to_owned()).or_default()
        }
    }
}

impl Store for Files {
    fn list(&mut self) -> io::Result<Vec<(String, u64)>> {
        Ok(self.segments.iter().map(|(name, bytes)| (name.clone(), bytes.len() as u64)).collect())
    }

    fn read_at(&mut self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.file(name);
        let rest = bytes.get(usize::try_from(offset).unwrap_or(usize::MAX)..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn write_at(&mut self, name: &str, offset: u64, parts: &[&[u8]]) -> io::Result<()> {
        let (bytes, offset) = (self.file(name), usize::try_from(offset).map_err(io::Error::other)?);
        let end = offset + parts.iter().map(|part| part.len()).sum::<usize>();
        bytes.resize(bytes.len().max(end), 0);
        bytes[offset..end].copy_from_slice(&parts.concat());
        Ok(())
    }

    fn truncate(&mut self, name: &str, bytes: u64) -> io::Result<()> {
        self.file(name).truncate(usize::try_from(bytes).unwrap_or(usize::MAX));
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let bytes = self.segments.remove(from).ok_or(io::ErrorKind::NotFound)?;
        self.segments.insert(to.to_owned(), bytes);
        Ok(())
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.segments.remove(name);
        Ok(())
    }

    fn sync(&mut self, _: &str) {}
}
