//! STUB until the line branch brings the pipeline.
use crate::gather::Gathered;
/// Takes lines.
pub trait LinePipeline: Send {
    /// Whole lines; gives the bytes taken, the rest is the start of a line.
    fn take_lines(&mut self, bytes: &[u8], now_s: u64, gathered: &mut Gathered) -> usize;
    /// A line without LF.
    fn take_last_line(&mut self, line: &[u8], now_s: u64, gathered: &mut Gathered);
}
