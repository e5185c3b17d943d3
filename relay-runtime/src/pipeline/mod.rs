//! STUB until the line branch brings the pipeline.
use crate::{
    dispatch::{Dispatch, Scratch, Sink},
    gather::{Gathered, Together},
    select::{Liveness, Selectors},
    table::{AggregatorIndex, BlocklistIndex, DestinationIndex, RouteIndex, Table},
    validate::Reason,
};
use std::sync::Arc;

/// Takes lines.
pub trait LinePipeline: Send {
    /// Whole lines; gives the bytes taken, the rest is the start of a line.
    fn take_lines(&mut self, bytes: &[u8], now_s: u64, gathered: &mut Gathered) -> usize;
    /// A line without LF.
    fn take_last_line(&mut self, line: &[u8], now_s: u64, gathered: &mut Gathered);
}

/// A stub.
#[derive(Debug)]
pub struct Pipeline<D> {
    dispatch: Arc<D>,
    line_bytes_max: usize,
}

impl<D> Clone for Pipeline<D> {
    fn clone(&self) -> Self {
        Self { dispatch: Arc::clone(&self.dispatch), line_bytes_max: self.line_bytes_max }
    }
}

impl<D: Dispatch> Pipeline<D> {
    /// A stub.
    pub fn new(dispatch: Arc<D>, table: &Table, line_bytes_max: usize, liveness: Liveness) -> Self {
        let _ = Selectors::new(table, liveness);
        Self { dispatch, line_bytes_max }
    }
}

#[derive(Default)]
struct To(Vec<DestinationIndex>, bool);

impl Sink for To {
    fn blocked(&mut self, _: BlocklistIndex) {}
    fn rewritten(&mut self, _: &[u8]) {}
    fn unusable(&mut self, _: &[u8]) {}
    fn aggregate(&mut self, _: AggregatorIndex) {}
    fn dropped_raw(&mut self) {}
    fn route(&mut self, _: RouteIndex) {
        self.1 = true;
    }
    fn deliver(&mut self, destination: DestinationIndex) {
        self.0.push(destination);
    }
    fn select(&mut self, _: RouteIndex, _: &[u8]) {}
}

impl<D: Dispatch> LinePipeline for Pipeline<D> {
    fn take_lines(&mut self, bytes: &[u8], now_s: u64, gathered: &mut Gathered) -> usize {
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', bytes) {
            if end - start > self.line_bytes_max {
                return start;
            }
            self.take_last_line(&bytes[start..end], now_s, gathered);
            start = end + 1;
        }
        start
    }
    fn take_last_line(&mut self, line: &[u8], _now_s: u64, gathered: &mut Gathered) {
        let fields: Vec<_> = line.split(|byte| *byte == b' ').collect();
        if fields.len() != 3 || !line.is_ascii() || line.contains(&0) {
            return gathered.refuse(Reason::WrongNumFields);
        }
        gathered.counts.received += 1;
        let mut to = To::default();
        self.dispatch.dispatch(fields[0], &mut Scratch::default(), &mut to);
        if !to.1 {
            gathered.counts.unroutable += 1;
            return;
        }
        gathered.counts.routed += 1;
        if let Together::As(set) = gathered.set_of(&to.0) {
            gathered.add(set, &[line, b"\n"].concat(), 1);
        }
    }
}
