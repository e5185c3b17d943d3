//! A table as a trait object.
//!
//! The generic part of a relay ends here; everything else is compiled once, in this crate.

use crate::{
    dispatch::{Dispatch, DynDispatch},
    pipeline::{LinePipeline, Pipeline},
    select::Liveness,
    table::Table,
};
use std::sync::Arc;

/// What a relay needs of its table.
pub(super) trait AnyTable: Send + Sync {
    /// The table for everything except the data path.
    fn as_dispatch(&self) -> &dyn DynDispatch;

    /// The pipeline for the data path; see [`Pipeline::new`].
    fn pipeline(
        self: Arc<Self>,
        table: &Table,
        line_bytes_max: usize,
        liveness: Liveness,
    ) -> Box<dyn LinePipeline>;
}

impl<D: Dispatch + 'static> AnyTable for D {
    fn as_dispatch(&self) -> &dyn DynDispatch {
        self
    }

    fn pipeline(
        self: Arc<Self>,
        table: &Table,
        line_bytes_max: usize,
        liveness: Liveness,
    ) -> Box<dyn LinePipeline> {
        Box::new(Pipeline::new(self, table, line_bytes_max, liveness))
    }
}
