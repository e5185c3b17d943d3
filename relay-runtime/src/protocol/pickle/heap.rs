//! The values of one pickle.
//!
//! Values are numbered and refer to each other by number, so that storing, fetching and duplicating never copy what a
//! value holds, a list may hold itself, and giving all of it back is no recursion. Text stays in the frame unless it
//! has to be decoded. Of dictionaries and whatever else cannot be part of a datapoint only the kind is kept.
//!
//! Memory: an instruction is at least one byte long and makes at most one value, of 16 bytes, with its place on the
//! stack or in a list. With what growing vectors hold in reserve, a pickle takes at most 64 times its frame.

use super::error::Problem;

/// The bound on memory, of which stack and memo are part.
#[cfg(test)]
pub(super) const BYTES_PER_FRAME_BYTE: usize = 64;

/// A value of a pickle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id(u32);

/// A part of the frame, of what was decoded, or of the elements of tuples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    start: u32,
    len: u32,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value {
    /// Text as it lies in the frame.
    Text(Span),
    /// Text that had escapes, decoded.
    Decoded(Span),
    Int(i64),
    /// A large integer in decimal digits, decoded.
    Digits(Span),
    /// An integer in two's complement, lowest byte first, in the frame.
    Long(Span),
    Float(f64),
    List(List),
    Tuple(Span),
    Dict,
    /// A name of a class or function, which is never looked up.
    Global,
    /// What may exist but is part of no datapoint.
    Other,
}

/// A chain of cells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct List {
    first: u32,
    last: u32,
    len: u32,
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    value: Id,
    next: u32,
}

/// Where a chain ends.
const NOWHERE: u32 = u32::MAX;

/// All values of one pickle.
#[derive(Debug)]
pub(super) struct Heap<'f> {
    frame: &'f [u8],
    values: Vec<Value>,
    cells: Vec<Cell>,
    elements: Vec<Id>,
    decoded: Vec<u8>,
}

impl Id {
    /// The one value of kind [`Value::Other`].
    pub(super) const OTHER: Self = Self(0);
}

impl Span {
    pub(super) fn new(start: usize, len: usize) -> Self {
        Self { start: small(start), len: small(len) }
    }

    pub(super) const fn len(self) -> usize {
        self.len as usize
    }

    fn of<T>(self, whole: &[T]) -> &[T] {
        whole.get(self.start as usize..).and_then(|rest| rest.get(..self.len())).unwrap_or_default()
    }
}

impl<'f> Heap<'f> {
    pub(super) fn new(frame: &'f [u8]) -> Self {
        let values = vec![Value::Other];
        Self { frame, values, cells: Vec::new(), elements: Vec::new(), decoded: Vec::new() }
    }

    pub(super) fn add(&mut self, value: Value) -> Id {
        let id = Id(small(self.values.len()));
        self.values.push(value);
        id
    }

    pub(super) fn get(&self, id: Id) -> Value {
        self.values.get(id.0 as usize).copied().unwrap_or(Value::Other)
    }

    /// The bytes of a span of the frame.
    pub(super) fn in_frame(&self, span: Span) -> &'f [u8] {
        span.of(self.frame)
    }

    /// The bytes of what was decoded.
    pub(super) fn in_decoded(&self, span: Span) -> &[u8] {
        span.of(&self.decoded)
    }

    /// Text that `write` decodes.
    pub(super) fn decode(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), Problem>,
    ) -> Result<Value, Problem> {
        let start = self.decoded.len();
        write(&mut self.decoded)?;
        Ok(Value::Decoded(Span::new(start, self.decoded.len() - start)))
    }

    /// An integer that is written as `text`: `digits`, with or without a sign before them.
    pub(super) fn decode_digits(&mut self, text: &[u8], digits: &[u8]) -> Value {
        let start = self.decoded.len();
        if text.starts_with(b"-") {
            self.decoded.push(b'-');
        }
        let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
        self.decoded.extend_from_slice(&digits[zeros..]);
        Value::Digits(Span::new(start, self.decoded.len() - start))
    }

    pub(super) fn add_tuple(&mut self, elements: &[Id]) -> Id {
        let span = Span::new(self.elements.len(), elements.len());
        self.elements.extend_from_slice(elements);
        self.add(Value::Tuple(span))
    }

    pub(super) fn add_list(&mut self) -> Id {
        self.add(Value::List(List { first: NOWHERE, last: NOWHERE, len: 0 }))
    }

    /// Puts `elements` at the end of `list`, for all who refer to it.
    pub(super) fn append(&mut self, list: Id, elements: &[Id]) -> Result<(), Problem> {
        let Some(Value::List(list)) = self.values.get_mut(list.0 as usize) else {
            return Err(Problem::WrongKind);
        };
        for &value in elements {
            let at = small(self.cells.len());
            match self.cells.get_mut(list.last as usize) {
                Some(last) => last.next = at,
                None => list.first = at,
            }
            self.cells.push(Cell { value, next: NOWHERE });
            list.last = at;
            list.len += 1;
        }
        Ok(())
    }

    /// The elements of a list, in order.
    pub(super) fn list(&self, list: List) -> impl Iterator<Item = Id> {
        let mut at = list.first;
        std::iter::from_fn(move || {
            let cell = self.cells.get(at as usize)?;
            at = cell.next;
            Some(cell.value)
        })
    }

    /// The elements of a tuple or list that has exactly two.
    pub(super) fn pair(&self, id: Id) -> Option<[Id; 2]> {
        match self.get(id) {
            Value::Tuple(span) => span.of(&self.elements).try_into().ok(),
            Value::List(list) if list.len == 2 => {
                let mut elements = self.list(list);
                Some([elements.next()?, elements.next()?])
            }
            _ => None,
        }
    }

    #[cfg(test)]
    pub(super) fn memory_bytes(&self) -> usize {
        let Self { frame: _, values, cells, elements, decoded } = self;
        values.capacity() * size_of::<Value>()
            + cells.capacity() * size_of::<Cell>()
            + elements.capacity() * size_of::<Id>()
            + decoded.capacity()
    }
}

/// Frames are so short that whatever is counted in them fits; see `FRAME_BYTES_MAX` in the decoder.
fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_takes_16_bytes() {
        assert_eq!(size_of::<Value>(), 16);
    }

    #[test]
    fn a_list_grows_for_all_who_refer_to_it() {
        let mut heap = Heap::new(b"");
        let list = heap.add_list();
        let tuple = heap.add_tuple(&[list, list]);
        heap.append(list, &[Id::OTHER]).unwrap();
        assert_eq!(heap.pair(list), None);
        heap.append(list, &[tuple]).unwrap();
        assert_eq!(heap.pair(list), Some([Id::OTHER, tuple]));
        assert_eq!(heap.pair(tuple), Some([list, list]));
        assert_eq!(heap.append(tuple, &[list]), Err(Problem::WrongKind));
    }
}
