//! A pipeline whose lines can be recorded.
//!
//! Passes everything to the pipeline behind it; what it sends to the tap are lines as they came in, before
//! validation.

use super::Tap;
use crate::{aggregate::Shared, gather::Gathered, pipeline::LinePipeline};
use std::sync::Arc;

/// A pipeline with a [`Tap`] in front of it.
pub(crate) struct Tapped {
    pipeline: Box<dyn LinePipeline>,
    tap: Arc<Tap>,
}

impl Tapped {
    pub(crate) fn new(pipeline: Box<dyn LinePipeline>, tap: Arc<Tap>) -> Self {
        Self { pipeline, tap }
    }
}

impl LinePipeline for Tapped {
    fn take_lines(&mut self, bytes: &[u8], now_s: u64, gathered: &mut Gathered) -> usize {
        let taken = self.pipeline.take_lines(bytes, now_s, gathered);
        self.tap.note(&bytes[..taken]);
        taken
    }

    fn take_last_line(&mut self, line: &[u8], now_s: u64, gathered: &mut Gathered) {
        self.pipeline.take_last_line(line, now_s, gathered);
        self.tap.note(line);
    }

    fn take_emitted(&mut self, bytes: &[u8], gathered: &mut Gathered) {
        self.pipeline.take_emitted(bytes, gathered);
    }

    fn aggregation(&self) -> Option<Arc<Shared>> {
        self.pipeline.aggregation()
    }

    fn bound_names(&mut self, bytes_max: usize) {
        self.pipeline.bound_names(bytes_max);
    }

    fn for_another_worker(&self) -> Box<dyn LinePipeline> {
        Box::new(Self::new(self.pipeline.for_another_worker(), Arc::clone(&self.tap)))
    }
}
