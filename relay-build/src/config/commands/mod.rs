//! The command language.
use super::{check::Check, raw::Text};
pub(super) fn check_text(_check: &mut Check<'_>, _text: &Text) {}
