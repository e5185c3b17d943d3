//! Finds the bytes that separate lines and fields, 64 bytes at a time.
//!
//! A *mark* is a byte that no usual field contains: white space, another control character, or a byte that is
//! not ASCII. A usual line has exactly three: space, space, LF. The scanner also remembers how far there are
//! tags, so that names without tags are not searched for a `;`.

/// Bytes per step.
const BLOCK: usize = 64;

/// Finds the marks of some bytes, in order.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    bytes: &'a [u8],
    /// The start of the block that `marks` is about; past the end if there is no block left.
    block_at: usize,
    /// The marks of the current block that were not returned yet, lowest first.
    marks: u64,
    /// The position after the last `;` of the blocks scanned so far; 0 if there is none.
    tagged_until: usize,
}

/// The positions of bytes in a block: bit n is about byte n.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Masks {
    marks: u64,
    semicolons: u64,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let mut scanner = Self { bytes, block_at: 0, marks: 0, tagged_until: 0 };
        scanner.look();
        scanner
    }

    /// The position of the next mark.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "three times per line, in the innermost loop")]
    pub(super) fn next_mark(&mut self) -> Option<usize> {
        while self.marks == 0 {
            self.block_at += BLOCK;
            if self.block_at >= self.bytes.len() {
                // Stays past the end, however often this is called.
                self.block_at -= BLOCK;
                return None;
            }
            self.look();
        }
        let at = self.block_at + self.marks.trailing_zeros() as usize;
        self.marks &= self.marks - 1;
        Some(at)
    }

    /// Whether there may be a `;` at or after `at`, up to the last mark.
    #[inline]
    pub(super) fn may_be_tagged_after(&self, at: usize) -> bool {
        self.tagged_until > at
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "once per 64 bytes, in the innermost loop")]
    fn look(&mut self) {
        let rest = &self.bytes[self.block_at..];
        let masks = match rest.first_chunk::<BLOCK>() {
            Some(block) => masks(block),
            None => masks_of_last(rest),
        };
        self.marks = masks.marks;
        if masks.semicolons != 0 {
            self.tagged_until = self.block_at + BLOCK - masks.semicolons.leading_zeros() as usize;
        }
    }
}

/// The masks of less than a block.
#[inline(never)]
fn masks_of_last(rest: &[u8]) -> Masks {
    let mut block = [b'a'; BLOCK];
    block[..rest.len()].copy_from_slice(rest);
    masks(&block)
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "once per 64 bytes, in the innermost loop")]
fn masks(block: &[u8; BLOCK]) -> Masks {
    let (parts, _) = block.as_chunks::<16>();
    let mut found = Masks { marks: 0, semicolons: 0 };
    for (number, part) in parts.iter().enumerate() {
        let (marks, semicolons) = super::lanes::marks_and_semicolons(part);
        found.marks |= u64::from(marks) << (16 * number);
        found.semicolons |= u64::from(semicolons) << (16 * number);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn marks(bytes: &[u8]) -> Vec<usize> {
        let mut scanner = Scanner::new(bytes);
        let found = std::iter::from_fn(|| scanner.next_mark()).collect();
        assert_eq!((scanner.next_mark(), scanner.next_mark()), (None, None));
        let last_tag = bytes.iter().rposition(|&byte| byte == b';').map_or(0, |at| at + 1);
        assert_eq!(scanner.tagged_until, last_tag);
        found
    }

    #[test]
    fn no_bytes_have_no_marks() {
        assert_eq!(marks(b""), Vec::<usize>::new());
        assert_eq!(marks(&[b'a'; BLOCK]), Vec::<usize>::new());
    }

    proptest! {
        #[test]
        fn marks_are_what_no_ordinary_field_holds(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let is_mark = |&at: &usize| bytes[at] <= b' ' || bytes[at] >= 0x80;
            prop_assert_eq!(marks(&bytes), (0..bytes.len()).filter(is_mark).collect::<Vec<_>>());
        }

        #[test]
        fn marks_are_found_in_sparse_text(at in 0_usize..400, count in 0_usize..400) {
            let mut bytes = vec![b'a'; count];
            if let Some(byte) = bytes.get_mut(at) {
                *byte = b'\n';
            }
            prop_assert_eq!(marks(&bytes), if at < count { vec![at] } else { vec![] });
        }
    }
}
