//! The page of a code, as `explain-code` prints it.
//!
//! The pages are part of the program, so it needs no files for them.

use super::{Code, codes};

/// Returns the page of a code as Markdown, or `None` if the code does not exist.
#[must_use]
pub fn page(code: Code) -> Option<&'static str> {
    codes::ALL.iter().find(|(known, _)| *known == code).map(|(_, page)| *page)
}
