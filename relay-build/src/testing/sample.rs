//! Checks a configuration against lines recorded in production: warns of aggregations that match none of
//! them.
//!
//! Reads the sample line by line, so its size does not matter.

use super::coverage::Counter;
use crate::{
    analyses::literals,
    config::Checked,
    diagnostics::{Diagnostic, codes},
};
use memchr::memmem;
use relay_runtime::{
    interpret::{Error, Interpreter},
    regex,
    table::{Aggregator, AggregatorIndex},
    validate::Validator,
};
use std::{
    fmt,
    io::{self, BufRead},
};

/// Why a sample could not be used.
#[derive(Debug)]
pub enum SampleError {
    /// The sample could not be read.
    Io(io::Error),
    /// A rule cannot be compiled; a checked configuration contains no such rule.
    Rule(Error),
    /// The sample contains no valid line.
    NoLine,
}

/// A literal that a regex requires.
struct Literal {
    finder: memmem::Finder<'static>,
    is_there: bool,
}

/// Follows the lines of a sample through the table and returns a warning for each aggregation that matches
/// none.
pub fn check_sample(checked: &Checked, sample: &mut dyn BufRead) -> Result<Vec<Diagnostic>, SampleError> {
    let table = &checked.plan.table;
    let interpreter = Interpreter::new(table).map_err(SampleError::Rule)?;
    let mut counter = Counter::new(table).map_err(SampleError::Rule)?;
    let mut required: Vec<Vec<Literal>> = table.aggregators.iter().map(required).collect();
    let validator = Validator::new(table.validation);
    let (mut line, mut lines) = (Vec::new(), 0u64);
    while sample.read_until(b'\n', &mut line)? > 0 {
        if let Ok(valid) = validator.check(line.strip_suffix(b"\n").unwrap_or(&line), 0) {
            lines += 1;
            if let Some(name) = counter.follow(valid.name, &interpreter) {
                required.iter_mut().flatten().for_each(|literal| literal.look(&name));
            }
        }
        line.clear();
    }
    if lines == 0 {
        return Err(SampleError::NoLine);
    }
    let unused =
        required.iter().enumerate().filter(|(at, _)| !counter.has_reached(AggregatorIndex::new(*at)));
    Ok(unused.map(|(at, literals)| warning(checked, at, literals, lines)).collect())
}

fn warning(checked: &Checked, at: usize, literals: &[Literal], lines: u64) -> Diagnostic {
    let place = checked.origins.aggregators.get(at).copied().unwrap_or_default();
    let format = &checked.plan.table.aggregators[at].format;
    let message = format!("this aggregation matches none of the {lines} lines of the sample: `{format}`");
    let missing: Vec<_> = literals.iter().filter(|literal| !literal.is_there).map(Literal::quoted).collect();
    let why = if missing.is_empty() {
        "no line meets all of its conditions, or another aggregation hides the lines from it".to_owned()
    } else {
        format!("its regex requires {}, which no metric of the sample contains", missing.join(" and "))
    };
    Diagnostic::warning(codes::UNUSED_BY_SAMPLE, place, message)
        .label(why)
        .help("correct the conditions, or remove the aggregation if nothing sends such metrics any more")
}

/// A regex that is not valid requires nothing; a checked configuration contains none.
fn required(aggregator: &Aggregator) -> Vec<Literal> {
    let regex = aggregator.matcher.regex.as_deref().and_then(|regex| regex::parse(regex).ok());
    let found = regex.map(|regex| literals::required(&regex)).unwrap_or_default();
    let alone = |mut some: Vec<String>| if some.len() == 1 { some.pop() } else { None };
    let mut texts = found.substrings;
    texts.extend(alone(found.prefixes));
    // Of two texts of which one contains the other, only the longer is reported.
    let within = |text: &String| texts.iter().any(|other| other != text && other.contains(text.as_str()));
    let mut longest: Vec<_> = texts.iter().filter(|text| !within(text)).collect();
    longest.dedup();
    let literal = |text: &String| Literal { finder: memmem::Finder::new(text).into_owned(), is_there: false };
    longest.into_iter().map(literal).collect()
}

impl Literal {
    fn look(&mut self, name: &[u8]) {
        self.is_there = self.is_there || self.finder.find(name).is_some();
    }

    fn quoted(&self) -> String {
        format!("`{}`", String::from_utf8_lossy(self.finder.needle()))
    }
}

impl From<io::Error> for SampleError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl fmt::Display for SampleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Rule(error) => error.fmt(f),
            Self::NoLine => write!(f, "it has no valid line, such as `servers.web1.cpu 1 1700000000`"),
        }
    }
}

impl std::error::Error for SampleError {}
