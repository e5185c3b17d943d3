//! The page of a code, as `explain-code` prints it.

use super::{Code, codes};

/// The page of a code, as Markdown; `None` for a number that is no code.
#[must_use]
pub fn page(code: Code) -> Option<&'static str> {
    codes::ALL.iter().find(|(known, _)| *known == code).map(|(_, page)| *page)
}
