//! Reads the operands of a pickle's instructions from its frame.
//!
//! Never reads past the end of the frame, and copies nothing.

use super::{error::Fault, heap::Span};

/// A position in a frame.
#[derive(Debug)]
pub(super) struct Reader<'f> {
    frame: &'f [u8],
    at: usize,
}

impl<'f> Reader<'f> {
    pub(super) const fn new(frame: &'f [u8]) -> Self {
        Self { frame, at: 0 }
    }

    pub(super) const fn position(&self) -> usize {
        self.at
    }

    pub(super) fn byte(&mut self) -> Result<u8, Fault> {
        let byte = *self.frame.get(self.at).ok_or(Fault::EndsEarly)?;
        self.at += 1;
        Ok(byte)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let array = *self.frame[self.at..].first_chunk().ok_or(Fault::EndsEarly)?;
        self.at += N;
        Ok(array)
    }

    /// The next `bytes` bytes.
    pub(super) fn take(&mut self, bytes: u64) -> Result<Span, Fault> {
        let left = self.frame.len() - self.at;
        let bytes = usize::try_from(bytes).ok().filter(|bytes| *bytes <= left).ok_or(Fault::EndsEarly)?;
        let span = Span::new(self.at, bytes);
        self.at += bytes;
        Ok(span)
    }

    /// The bytes up to the next LF; moves past the LF.
    pub(super) fn line(&mut self) -> Result<&'f [u8], Fault> {
        let rest = &self.frame[self.at..];
        let end = memchr::memchr(b'\n', rest).ok_or(Fault::EndsEarly)?;
        self.at += end + 1;
        Ok(&rest[..end])
    }
}
