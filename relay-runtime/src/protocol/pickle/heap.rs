//! The values of one pickle.
//!
//! Values are numbered and refer to each other by number. So storing, fetching and duplicating never copy the
//! contents of a value, a list may contain itself, and freeing all values needs no recursion. Text stays in the
//! frame unless it has to be decoded. Of dictionaries and everything else that cannot be part of a datapoint,
//! only the kind is stored.
//!
//! Memory: an instruction is at least one byte long and makes at most one value of 16 bytes, with its entry on
//! the stack or in a list. Including the spare capacity of growing vectors, a pickle occupies at most 64 times
//! the size of its frame.

use super::error::Problem;

/// The limit of memory, stack and memo included.
#[cfg(test)]
pub(super) const BYTES_PER_FRAME_BYTE: usize = 64;

/// The number of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id(u32);

/// A range of the frame, of the decoded bytes, or of the elements of tuples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    start: u32,
    len: u32,
}

/// A value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value {
    /// Text that is in the frame.
    Text(Span),
    /// Text that contained escapes, decoded.
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
    /// The name of a class or function, which is never looked up.
    Global,
    /// A value that is allowed but cannot be part of a datapoint.
    Other,
}

/// A list as a chain of cells.
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

/// Marks the end of a chain.
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
    /// The only value of kind [`Value::Other`].
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

    /// The bytes of a span of the decoded bytes.
    pub(super) fn in_decoded(&self, span: Span) -> &[u8] {
        span.of(&self.decoded)
    }

    /// Adds the text that `write` decodes.
    pub(super) fn decode(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), Problem>,
    ) -> Result<Value, Problem> {
        let start = self.decoded.len();
        write(&mut self.decoded)?;
        Ok(Value::Decoded(Span::new(start, self.decoded.len() - start)))
    }

    /// An integer that is written as `text`; `digits` are its digits without a sign.
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

    /// Appends `elements` to `list`; everything that refers to the list sees them.
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

    /// The elements of a tuple or list, if it has exactly two.
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

/// Numbers of things in a frame fit 32 bits; see `FRAME_BYTES_MAX` in the decoder.
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
