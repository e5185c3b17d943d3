//! Replaces `tools` in a relay without them.
//!
//! The same functions exist, so the rest of `serve` needs no `cfg`.

use super::arguments::UsageError;
use crate::{dispatch::DynDispatch, pipeline::LinePipeline};
use std::fmt;

pub(super) const USAGE: &str = "";

/// There is no tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tool {}

/// Without tools there is no error.
#[derive(Debug)]
pub enum ToolError {}

pub(super) fn parse(name: &str, _: &mut impl Iterator<Item = String>) -> Result<Option<Tool>, UsageError> {
    match name {
        "trace" | "replay" | "record" | "spool" => Err(UsageError::LeftOut { command: name.to_owned() }),
        _ => Ok(None),
    }
}

pub(super) fn run(tool: &Tool, _: &str, _: &dyn DynDispatch) -> Result<(), ToolError> {
    match *tool {}
}

pub(super) fn recordable(pipeline: Box<dyn LinePipeline>, _: &str) -> Box<dyn LinePipeline> {
    pipeline
}

impl fmt::Display for ToolError {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl std::error::Error for ToolError {}
