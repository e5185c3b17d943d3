//! Diagnostics: what relay-build reports about a configuration. Each has a code with its own page, the place, what is wrong, and what to write instead.
//!
//! Messages: lower case, no full stop, names in backticks, found against expected, never our type names.
//! A new diagnostic gets the next free code in [`codes`] and a page under `pages/`; a test fails if the page is
//! missing, or if what it calls wrong is not found wrong. Codes are never reused.

pub mod codes;
mod json;
mod page;
mod render;

pub use json::to_json;
pub use page::page;
pub use render::{place, render};

/// One problem of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The code.
    pub code: Code,
    /// Whether a relay can still be built.
    pub severity: Severity,
    /// What is wrong, in one line.
    pub message: String,
    /// The place, and the text that is printed under it (may be empty).
    pub place: Option<(Span, String)>,
    /// Other places that matter, such as the first of two duplicates.
    pub related: Vec<(Span, String)>,
    /// What to write instead; followed literally, it mends the configuration.
    pub help: Option<String>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing is wrong; it is only information.
    Note,
    /// The relay would work, but probably not as intended.
    Warning,
    /// No relay can be built.
    Error,
}

/// A range of bytes in the configuration file, as written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// The code of a diagnostic: `R` and four digits.
///
/// `R00xx` syntax, `R01xx` keys and values, `R02xx` routes and destinations, `R03xx` matchers and regexes,
/// `R04xx` rewriters, `R05xx` aggregations, `R06xx` commands, `R07xx` variables, `R08xx` analyses of the plan,
/// `R09xx` things that this version cannot build, `R10xx` tests.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(pub u16);

impl std::str::FromStr for Code {
    type Err = NotACode;

    /// Reads `R0203`, in any letter case and with or without the `R`.
    fn from_str(text: &str) -> Result<Self, NotACode> {
        let digits = text.strip_prefix(['R', 'r']).unwrap_or(text);
        let is_code = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_code.then(|| digits.parse().ok().map(Self)).flatten().ok_or(NotACode)
    }
}

/// A text that is not `R` and four digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotACode;

impl std::fmt::Display for NotACode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a code is `R` and four digits, such as `R0203`")
    }
}

impl std::error::Error for NotACode {}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "R{:04}", self.0)
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl Diagnostic {
    /// An error at a place.
    #[must_use]
    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, span, message.into())
    }

    /// A note at a place.
    #[must_use]
    pub fn note(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Note, span, message.into())
    }

    /// A warning at a place.
    #[must_use]
    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, span, message.into())
    }

    fn new(code: Code, severity: Severity, span: Span, message: String) -> Self {
        let place = Some((span, String::new()));
        Self { code, severity, message, place, related: Vec::new(), help: None }
    }

    /// Sets the text that is printed under the place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        if let Some((_, text)) = &mut self.place {
            *text = label.into();
        }
        self
    }

    /// Adds another place with a text.
    #[must_use]
    pub fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related.push((span, label.into()));
        self
    }

    /// Sets the help: what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
