//! Runs pickles. A pickle is a program for a machine with a stack, marks on the stack, and a memo.
//!
//! The machine makes values and does nothing else: it looks up no class and constructs no object. It refuses
//! what upstream's refuses (spec §4.3), but does not check the first bytes (BUG-23, BUG-24). It never recurses,
//! takes time linear in the length of the frame, and its memory is limited (see [`heap`](super::heap)).

use super::{
    error::{BadPickle, Fault, Problem},
    escape,
    heap::{Heap, Id, List, Span, Value},
    memo::Memo,
    opcode,
    reader::Reader,
};
use crate::validate::number;

/// The latest supported protocol version.
const PROTOCOL_MAX: u8 = 5;

/// The result of a pickle.
#[derive(Debug)]
pub(super) struct Loaded<'f> {
    pub(super) heap: Heap<'f>,
    pub(super) list: List,
}

/// Runs the pickle at the start of `frame`. Bytes after its end are ignored.
pub(super) fn load(frame: &[u8]) -> Result<Loaded<'_>, BadPickle> {
    let mut machine = Machine::new(frame);
    let root = machine.run()?;
    match machine.heap.get(root) {
        Value::List(list) => Ok(Loaded { heap: machine.heap, list }),
        _ => Err(BadPickle::NotAList),
    }
}

#[derive(Debug)]
struct Machine<'f> {
    reader: Reader<'f>,
    heap: Heap<'f>,
    stack: Vec<Id>,
    /// The height of the stack at each mark, lowest first.
    marks: Vec<usize>,
    memo: Memo,
}

type Step = Result<(), Fault>;

impl<'f> Machine<'f> {
    fn new(frame: &'f [u8]) -> Self {
        Self {
            reader: Reader::new(frame),
            heap: Heap::new(frame),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: Memo::default(),
        }
    }

    /// Runs up to STOP. The value on top of the stack is the result.
    fn run(&mut self) -> Result<Id, BadPickle> {
        loop {
            let at = self.reader.position();
            let opcode = self.reader.byte().map_err(|fault| fault.at(at))?;
            if opcode == opcode::STOP {
                return self.pop().map_err(|fault| fault.at(at));
            }
            self.step(opcode).map_err(|fault| fault.at(at))?;
        }
    }

    fn step(&mut self, opcode: u8) -> Step {
        match opcode {
            opcode::PROTO => self.protocol()?,
            opcode::FRAME => drop(self.reader.take(8)?),

            opcode::MARK => self.marks.push(self.stack.len()),
            opcode::POP => self.discard()?,
            opcode::DUP => self.stack.push(self.top()?),

            opcode::INT => self.int()?,
            opcode::BININT => self.int32()?,
            opcode::BININT1 => self.int8()?,
            opcode::BININT2 => self.int16()?,
            opcode::LONG => self.long()?,
            opcode::LONG1 => self.long1()?,
            opcode::FLOAT => self.float()?,
            opcode::BINFLOAT => self.binfloat()?,
            opcode::NONE | opcode::NEWTRUE | opcode::NEWFALSE => self.stack.push(Id::OTHER),

            opcode::STRING => self.string()?,
            opcode::UNICODE => self.unicode()?,
            opcode::SHORT_BINSTRING | opcode::SHORT_BINUNICODE => self.short_text()?,
            opcode::BINSTRING | opcode::BINUNICODE => self.long_text()?,
            opcode::SHORT_BINBYTES => self.short_bytes()?,
            opcode::BINBYTES => self.long_bytes()?,
            opcode::BYTEARRAY8 => self.bytearray()?,

            opcode::EMPTY_LIST => self.empty_list(),
            opcode::LIST => self.list()?,
            opcode::APPEND => self.append()?,
            opcode::APPENDS => self.appends()?,
            opcode::EMPTY_TUPLE => self.tuple(0)?,
            opcode::TUPLE1 => self.tuple(1)?,
            opcode::TUPLE2 => self.tuple(2)?,
            opcode::TUPLE3 => self.tuple(3)?,
            opcode::TUPLE => self.marked_tuple()?,
            opcode::EMPTY_DICT => self.push(Value::Dict),
            opcode::DICT => self.dict()?,
            opcode::SETITEM => self.set_item()?,
            opcode::SETITEMS => self.set_items()?,

            opcode::GET => self.get()?,
            opcode::BINGET => self.binget()?,
            opcode::LONG_BINGET => self.long_binget()?,
            opcode::PUT => self.put()?,
            opcode::BINPUT => self.binput()?,
            opcode::LONG_BINPUT => self.long_binput()?,
            opcode::MEMOIZE => self.memo.put_next(self.top()?),

            opcode::GLOBAL => self.global()?,
            opcode::STACK_GLOBAL => self.stack_global()?,
            opcode::REDUCE => self.reduce()?,
            opcode::PERSID => self.persistent()?,
            opcode::BINPERSID => self.replace_by_other()?,

            opcode => return Err(Problem::UnknownOpcode(opcode).into()),
        }
        Ok(())
    }

    // The stack. Values below the last mark are out of reach.

    fn push(&mut self, value: Value) {
        let id = self.heap.add(value);
        self.stack.push(id);
    }

    fn top(&self) -> Result<Id, Fault> {
        self.below(self.stack.len())
    }

    fn pop(&mut self) -> Result<Id, Fault> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    /// The value below the height `at`.
    fn below(&self, at: usize) -> Result<Id, Fault> {
        let floor = self.marks.last().copied().unwrap_or(0);
        match self.stack.get(floor..at) {
            Some([.., below]) => Ok(*below),
            _ => Err(Problem::StackUnderflow.into()),
        }
    }

    /// Removes the last mark and returns its height, which is never above the top.
    fn unmark(&mut self) -> Result<usize, Fault> {
        self.marks.pop().ok_or(Problem::NoMark.into())
    }

    /// POP removes a mark if one is on top.
    fn discard(&mut self) -> Step {
        if self.marks.last() == Some(&self.stack.len()) {
            self.marks.pop();
            return Ok(());
        }
        self.pop().map(drop)
    }

    fn replace_by_other(&mut self) -> Step {
        self.pop()?;
        self.stack.push(Id::OTHER);
        Ok(())
    }

    // Numbers.

    fn protocol(&mut self) -> Step {
        match self.reader.byte()? {
            0..=PROTOCOL_MAX => Ok(()),
            version => Err(Problem::UnknownProtocol(version).into()),
        }
    }

    fn int8(&mut self) -> Step {
        let number = self.reader.byte()?;
        self.push(Value::Int(number.into()));
        Ok(())
    }

    fn int16(&mut self) -> Step {
        let number = u16::from_le_bytes(self.reader.array()?);
        self.push(Value::Int(number.into()));
        Ok(())
    }

    fn int32(&mut self) -> Step {
        let number = i32::from_le_bytes(self.reader.array()?);
        self.push(Value::Int(number.into()));
        Ok(())
    }

    fn long1(&mut self) -> Step {
        let bytes = self.short()?;
        self.push(Value::Long(bytes));
        Ok(())
    }

    fn int(&mut self) -> Step {
        match self.reader.line()?.trim_ascii() {
            // How old protocols write False and True.
            b"00" | b"01" => self.stack.push(Id::OTHER),
            digits => self.digits(digits)?,
        }
        Ok(())
    }

    fn long(&mut self) -> Step {
        let digits = self.reader.line()?.trim_ascii().strip_suffix(b"L").ok_or(Fault::EndsEarly)?;
        self.digits(digits)
    }

    /// Pushes an integer of any size. A large one stays text, because no instruction calculates with it.
    fn digits(&mut self, text: &[u8]) -> Step {
        let digits = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return Err(Problem::BadNumber.into());
        }
        let number = str::from_utf8(text).ok().and_then(|text| text.parse().ok());
        let value = number.map_or_else(|| self.heap.decode_digits(text, digits), Value::Int);
        self.push(value);
        Ok(())
    }

    fn float(&mut self) -> Step {
        let number = number::parse(self.reader.line()?.trim_ascii()).ok_or(Problem::BadNumber)?;
        self.push(Value::Float(number));
        Ok(())
    }

    fn binfloat(&mut self) -> Step {
        let number = f64::from_be_bytes(self.reader.array()?);
        self.push(Value::Float(number));
        Ok(())
    }

    // Texts, and bytes, which are not text.

    /// A span whose length is in one byte.
    fn short(&mut self) -> Result<Span, Fault> {
        let bytes = self.reader.byte()?;
        self.reader.take(bytes.into())
    }

    /// A span whose length is in four bytes.
    fn long_span(&mut self) -> Result<Span, Fault> {
        let bytes = u32::from_le_bytes(self.reader.array()?);
        self.reader.take(bytes.into())
    }

    fn short_text(&mut self) -> Step {
        let text = self.short()?;
        self.push(Value::Text(text));
        Ok(())
    }

    fn long_text(&mut self) -> Step {
        let text = self.long_span()?;
        self.push(Value::Text(text));
        Ok(())
    }

    fn short_bytes(&mut self) -> Step {
        self.short()?;
        self.stack.push(Id::OTHER);
        Ok(())
    }

    fn long_bytes(&mut self) -> Step {
        self.long_span()?;
        self.stack.push(Id::OTHER);
        Ok(())
    }

    fn bytearray(&mut self) -> Step {
        let bytes = u64::from_le_bytes(self.reader.array()?);
        self.reader.take(bytes)?;
        self.stack.push(Id::OTHER);
        Ok(())
    }

    fn string(&mut self) -> Step {
        let ([b'\'', text @ .., b'\''] | [b'"', text @ .., b'"']) = self.reader.line()?.trim_ascii_end()
        else {
            return Err(Problem::BadText.into());
        };
        let text = self.heap.decode(|out| escape::decode_string(text, out))?;
        self.push(text);
        Ok(())
    }

    fn unicode(&mut self) -> Step {
        let line = self.reader.line()?;
        let text = self.heap.decode(|out| escape::decode_unicode(line, out))?;
        self.push(text);
        Ok(())
    }

    // Lists, tuples and dictionaries.

    fn empty_list(&mut self) {
        let list = self.heap.add_list();
        self.stack.push(list);
    }

    fn list(&mut self) -> Step {
        let start = self.unmark()?;
        let list = self.heap.add_list();
        self.heap.append(list, &self.stack[start..])?;
        self.stack.truncate(start);
        self.stack.push(list);
        Ok(())
    }

    fn append(&mut self) -> Step {
        let element = self.pop()?;
        let list = self.top()?;
        Ok(self.heap.append(list, &[element])?)
    }

    fn appends(&mut self) -> Step {
        let start = self.unmark()?;
        let list = self.below(start)?;
        self.heap.append(list, &self.stack[start..])?;
        self.stack.truncate(start);
        Ok(())
    }

    /// Replaces the last `len` values by a tuple of them.
    fn tuple(&mut self, len: usize) -> Step {
        let floor = self.marks.last().copied().unwrap_or(0);
        let start = self.stack.len().checked_sub(len).filter(|start| *start >= floor);
        self.tuple_from(start.ok_or(Problem::StackUnderflow)?);
        Ok(())
    }

    fn marked_tuple(&mut self) -> Step {
        let start = self.unmark()?;
        self.tuple_from(start);
        Ok(())
    }

    fn tuple_from(&mut self, start: usize) {
        let tuple = self.heap.add_tuple(&self.stack[start..]);
        self.stack.truncate(start);
        self.stack.push(tuple);
    }

    fn dict(&mut self) -> Step {
        self.drop_pairs()?;
        self.push(Value::Dict);
        Ok(())
    }

    fn set_item(&mut self) -> Step {
        self.pop()?;
        self.pop()?;
        self.expect_dict()
    }

    fn set_items(&mut self) -> Step {
        self.drop_pairs()?;
        self.expect_dict()
    }

    /// Drops keys and values: the contents of a dictionary are never part of a datapoint.
    fn drop_pairs(&mut self) -> Step {
        let start = self.unmark()?;
        if !(self.stack.len() - start).is_multiple_of(2) {
            return Err(Problem::StackUnderflow.into());
        }
        self.stack.truncate(start);
        Ok(())
    }

    fn expect_dict(&self) -> Step {
        let top = self.top()?;
        if self.heap.get(top) == Value::Dict { Ok(()) } else { Err(Problem::WrongKind.into()) }
    }

    // The memo.

    fn get(&mut self) -> Step {
        let number = self.memo_number()?;
        self.fetch(number)
    }

    fn binget(&mut self) -> Step {
        let number = self.reader.byte()?;
        self.fetch(number.into())
    }

    fn long_binget(&mut self) -> Step {
        let number = u32::from_le_bytes(self.reader.array()?);
        self.fetch(number.into())
    }

    fn put(&mut self) -> Step {
        let number = self.memo_number()?;
        self.store(number)
    }

    fn binput(&mut self) -> Step {
        let number = self.reader.byte()?;
        self.store(number.into())
    }

    fn long_binput(&mut self) -> Step {
        let number = u32::from_le_bytes(self.reader.array()?);
        self.store(number.into())
    }

    fn memo_number(&mut self) -> Result<u64, Fault> {
        let digits = str::from_utf8(self.reader.line()?.trim_ascii()).ok();
        digits.and_then(|digits| digits.parse().ok()).ok_or(Problem::BadNumber.into())
    }

    fn fetch(&mut self, number: u64) -> Step {
        let id = self.memo.get(number).ok_or(Problem::NotStored)?;
        self.stack.push(id);
        Ok(())
    }

    fn store(&mut self, number: u64) -> Step {
        self.memo.put(number, self.top()?);
        Ok(())
    }

    // Names of classes and functions, and what would be made with them.

    fn global(&mut self) -> Step {
        self.reader.line()?;
        self.reader.line()?;
        self.push(Value::Global);
        Ok(())
    }

    fn stack_global(&mut self) -> Step {
        for _ in 0..2 {
            let name = self.pop()?;
            if !matches!(self.heap.get(name), Value::Text(_) | Value::Decoded(_)) {
                return Err(Problem::WrongKind.into());
            }
        }
        self.push(Value::Global);
        Ok(())
    }

    fn reduce(&mut self) -> Step {
        let (arguments, callable) = (self.pop()?, self.pop()?);
        match (self.heap.get(callable), self.heap.get(arguments)) {
            (Value::Global, Value::Tuple(_)) => self.stack.push(Id::OTHER),
            _ => return Err(Problem::WrongKind.into()),
        }
        Ok(())
    }

    fn persistent(&mut self) -> Step {
        self.reader.line()?;
        self.stack.push(Id::OTHER);
        Ok(())
    }

    #[cfg(test)]
    fn memory_bytes(&self) -> usize {
        let stack = self.stack.capacity() * size_of::<Id>() + self.marks.capacity() * size_of::<usize>();
        self.heap.memory_bytes() + self.memo.memory_bytes() + stack
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::pickle::heap::BYTES_PER_FRAME_BYTE;
    use proptest::prelude::*;

    #[track_caller]
    fn check(pickle: &[u8], want: Result<usize, BadPickle>) {
        let got = load(pickle).map(|loaded| loaded.heap.list(loaded.list).count());
        assert_eq!(got, want, "{}", pickle.escape_ascii());
    }

    fn undecodable(at: usize, problem: Problem) -> Result<usize, BadPickle> {
        Err(BadPickle::Undecodable { at, problem })
    }

    /// Runs a pickle and fails if it takes too much memory.
    fn run_within_bounds(pickle: &[u8]) {
        let mut machine = Machine::new(pickle);
        let _ = machine.run();
        let bytes = machine.memory_bytes();
        assert!(bytes <= 1024 + BYTES_PER_FRAME_BYTE * pickle.len(), "{bytes} for {}", pickle.len());
    }

    #[test]
    fn a_list_is_what_it_takes() {
        check(b"].", Ok(0));
        check(b"(lp0\n.", Ok(0));
        check(b"\x80\x05\x95\0\0\0\0\0\0\0\0](K\x01NK\x03e.junk", Ok(3));
        check(b"]q\x01h\x01a.", Ok(1));
        check(b")(0].", Ok(0));
        for pickle in [&b"N."[..], b"}.", b").", b"(t.", b"\x80\x02K\x01."] {
            check(pickle, Err(BadPickle::NotAList));
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        check(b".", undecodable(0, Problem::StackUnderflow));
        check(b"]](K\x01a.", undecodable(5, Problem::StackUnderflow));
        check(b"](.", undecodable(2, Problem::StackUnderflow));
        check(b"]e.", undecodable(1, Problem::NoMark));
        check(b"NNa.", undecodable(2, Problem::WrongKind));
        check(b"N(Ne.", undecodable(3, Problem::WrongKind));
        check(b"]h\x05a.", undecodable(1, Problem::NotStored));
        check(b"]g-1\na.", undecodable(1, Problem::BadNumber));
        check(b"\x80\x06].", undecodable(0, Problem::UnknownProtocol(6)));
        check(b"](K\x01d.", undecodable(4, Problem::StackUnderflow));
        check(b"]F1e400\n.", undecodable(1, Problem::BadNumber));
        check(b"]I1.5\n.", undecodable(1, Problem::BadNumber));
        check(b"]S'x\n.", undecodable(1, Problem::BadText));
        check(b"]S'\n.", undecodable(1, Problem::BadText));
    }

    #[test]
    fn nothing_is_constructed() {
        for opcode in *b"bio1\x81\x82\x83\x84\x8b\x8d\x8e\x8f\x90\x91\x92\x97\x98" {
            check(&[b']', opcode, b'.'], undecodable(1, Problem::UnknownOpcode(opcode)));
        }
        check(b"]cos\nsystem\n(S'true'\ntRa.", Ok(1));
        check(b"]\x8c\x02os\x8c\x06system\x93)Ra.", Ok(1));
        check(b"])\x8c\x06system\x93.", undecodable(10, Problem::WrongKind));
        check(b"]N)R.", undecodable(3, Problem::WrongKind));
        check(b"cx\ny\n)RK\x01K\x02s.", undecodable(11, Problem::WrongKind));
    }

    #[test]
    fn a_pickle_that_stops_anywhere_ends_early() {
        let pickle = b"\x80\x04\x95\x20\0\0\0\0\0\0\0](\x8c\x03a.bq\x01M\x01\x02F1.5\n\x86\x86cx\ny\n\
            L7L\nJ\0\0\0\0G\0\0\0\0\0\0\0\0B\x01\0\0\0xX\x01\0\0\0yI1\nS'z'\nVz\nP\nr\0\0\0\0e.";
        check(pickle, Ok(11));
        for end in 0..pickle.len() {
            check(&pickle[..end], Err(BadPickle::EndsEarly));
        }
    }

    #[test]
    fn announced_lengths_cost_nothing() {
        for pickle in [
            &b"]X\xff\xff\xff\xffa"[..],
            b"]T\xff\xff\xff\x7fa",
            b"]\x96\xff\xff\xff\xff\xff\xff\xff\xffa",
            b"]r\xff\xff\xff\xff",
        ] {
            check(pickle, Err(BadPickle::EndsEarly));
            run_within_bounds(pickle);
        }
    }

    #[test]
    fn memory_is_bounded_whatever_is_repeated() {
        for unit in [
            &b"]"[..],
            b"(",
            b"}",
            b")",
            b"K\x01",
            b"]\x94",
            b"2",
            b"22a",
            b"]a",
            b"(l",
            b"\x85",
            b"2\x86",
            b"22\x87",
            b"U\0",
            b"S''\n",
            b"V\xff\xff\xff\xff\xff\xff\xff\n",
            b"\x8a\0",
            b"I99999999999999999999\n",
            b"I1\n",
        ] {
            run_within_bounds(&[b"]]", unit.repeat(50_000).as_slice(), b"."].concat());
        }
        let stored: Vec<u8> = (0..50_000_u32)
            .flat_map(|number| {
                let [a, b, c, d] = number.wrapping_mul(0x9E37_79B9).to_le_bytes();
                [b'r', a, b, c, d]
            })
            .collect();
        run_within_bounds(&[b"]".as_slice(), &stored].concat());
    }

    #[test]
    fn laughs_do_not_expand() {
        // Each list contains the one before ten times; written out, the last would have 10^1000 elements.
        let mut pickle = b"]q\x01".to_vec();
        for _ in 0..1_000 {
            pickle.extend_from_slice(b"](h\x01h\x01h\x01h\x01h\x01h\x01h\x01h\x01h\x01h\x01eq\x01");
        }
        pickle.push(b'.');
        check(&pickle, Ok(10));
        run_within_bounds(&pickle);
    }

    #[test]
    fn deep_nesting_is_no_recursion() {
        let depth = 300_000;
        let nested = [b"]".repeat(depth), b"a".repeat(depth - 1), b".".to_vec()].concat();
        check(&nested, Ok(1));
        let tuples = [&b"])"[..], &b"\x85".repeat(depth), b"a."].concat();
        check(&tuples, Ok(1));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn random_instructions_do_no_harm(
            pickle in proptest::collection::vec(
                proptest::sample::select(&b"(.02FIJKLMNPQRSTUVXacd}eghjl]pqrst)uG\x80\x85\x86\x87\x88\x8a\x8c\x93\x94\x95\n\0\x01'1L"[..]),
                0..200,
            )
        ) {
            run_within_bounds(&pickle);
            let _ = load(&pickle);
        }
    }
}
