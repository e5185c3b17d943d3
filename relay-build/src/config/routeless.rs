//! Warns of a configuration without routes: its relay accepts lines and sends none.
//!
//! Only commands that make a relay warn, because tables without routes are useful in tests, `diff` and
//! `explain`.

use super::Checked;
use crate::diagnostics::{Diagnostic, Severity, codes};

/// A warning if there is no route; nothing after an error, which may be why there is none.
#[must_use]
pub fn routeless(checked: &Checked) -> Option<Diagnostic> {
    (checked.plan.table.routes.is_empty() && !checked.has_errors()).then(|| Diagnostic {
        code: codes::NO_ROUTE,
        severity: Severity::Warning,
        message: "there is no route: every line that comes in is unroutable, and none is sent".to_owned(),
        place: None,
        related: Vec::new(),
        help: Some("add a `[[route]]` with a `key`, a `type` and `destinations`".to_owned()),
    })
}
