//! A configuration without routes: a relay of it accepts lines and sends none.
//!
//! Said only to who wants a relay: tests, `diff` and `explain` have a use for tables without routes.

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
