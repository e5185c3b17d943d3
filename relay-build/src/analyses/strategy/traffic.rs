//! What real traffic looks like to the rules of a table: how many of its names answer each question with yes.
//!
//! Counted once from a corpus; the choices are made from the counts alone, so that an artifact can be built again without
//! the corpus, and nothing of its names but these counts is kept.

use super::{BadRegex, Reader, Test, TestKind, guards};
use crate::corpus::Corpus;
use relay_runtime::{plan::Plan, regex::Regex, rewriter::Rewriter, validate::Validator};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
};

/// Names that are asked, evenly spread over the corpus.
const NAMES_MAX: usize = 10_000;

/// How many names of a corpus answer which questions with yes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    /// The corpus, as it was read.
    pub corpus_sha256: String,
    /// How many names were asked.
    pub names: u64,
    /// The questions that any name answers with yes.
    pub yes: BTreeMap<String, u64>,
}

/// Why a corpus is of no use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrafficError {
    /// No line of it is one that a relay of this plan would take.
    NoLine,
    /// A regex cannot be compiled.
    BadRegex(BadRegex),
}

/// What a name can be asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Question {
    Prefix(String),
    Exact(String),
    Suffix(String),
    Contains(String),
    Regex(String),
}

impl Traffic {
    /// Asks the names of a corpus, after rewriting, what the rules of a plan may ask them.
    pub fn of(plan: &Plan, corpus: &Corpus) -> Result<Self, TrafficError> {
        let mut reader = Reader::default();
        let mut asked = reader.read_plan(plan).map_err(TrafficError::BadRegex)?;
        let names = names(plan, &corpus.text);
        if names.is_empty() {
            return Err(TrafficError::NoLine);
        }
        let yes = count(&questions(asked.all_mut(), &reader), &names);
        Ok(Self { corpus_sha256: corpus.sha256(), names: names.len() as u64, yes })
    }

    /// How many names answer with yes.
    pub(super) fn yes(&self, question: &Question) -> u64 {
        self.yes.get(&question.to_string()).copied().unwrap_or(0)
    }

    /// Their share of all names.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub(super) fn share(&self, question: &Question) -> f64 {
        self.yes(question) as f64 / self.names.max(1) as f64
    }
}

impl Question {
    /// What a test asks, without its negation; `None` for one that is no question.
    pub(super) fn of(kind: &TestKind, reader: &Reader) -> Option<Self> {
        Some(match kind {
            TestKind::Exact(text) => Self::Exact(text.clone()),
            TestKind::Prefix(text) => Self::Prefix(text.clone()),
            TestKind::Suffix(text) => Self::Suffix(text.clone()),
            TestKind::Found(text) | TestKind::Contains(text) => Self::Contains(text.clone()),
            TestKind::Regex(at) | TestKind::Confirm(at) => Self::Regex(reader.regexes[*at].pattern.clone()),
            TestKind::Always => return None,
        })
    }

    /// What a guard asks: whether the name has this literal, at its start or anywhere.
    pub(super) fn of_literal((at_start, text): (bool, &str)) -> Self {
        if at_start { Self::Prefix(text.to_owned()) } else { Self::Contains(text.to_owned()) }
    }
}

/// The names of the lines that would be taken, as rules see them.
fn names(plan: &Plan, text: &[u8]) -> Vec<Vec<u8>> {
    let validator = Validator::new(plan.table.validation);
    let rewriters: Vec<_> = plan.table.rewriters.iter().filter_map(|rule| Rewriter::new(rule).ok()).collect();
    let lines = || text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let step = lines().count().div_ceil(NAMES_MAX).max(1);
    let mut next = Vec::new();
    let valid = lines().step_by(step).filter_map(|line| Some(validator.check(line, 0).ok()?.name.to_vec()));
    valid
        .map(|mut name| {
            for rewriter in &rewriters {
                if rewriter.apply(&name, &mut next) {
                    std::mem::swap(&mut name, &mut next);
                }
            }
            name
        })
        .collect()
}

/// Everything that may be asked, by rules or by what they wait for.
fn questions<'a>(asked: impl Iterator<Item = &'a mut Vec<Test>>, reader: &Reader) -> BTreeSet<Question> {
    let mut questions = BTreeSet::new();
    for tests in asked {
        questions.extend(tests.iter().filter_map(|test| Question::of(&test.kind, reader)));
        for option in guards::options(tests, &reader.regexes) {
            questions.extend(option.literals().map(Question::of_literal));
        }
    }
    let literals = reader.regexes.iter().flat_map(|regex| &regex.required.substrings);
    questions.extend(literals.cloned().map(Question::Contains));
    questions
}

fn count(questions: &BTreeSet<Question>, names: &[Vec<u8>]) -> BTreeMap<String, u64> {
    let mut yes = vec![0_u64; questions.len()];
    let mut literals = Literals::default();
    for (at, question) in questions.iter().enumerate() {
        let mut ask = |is_yes: &dyn Fn(&[u8]) -> bool| {
            yes[at] = names.iter().filter(|name| is_yes(name)).count() as u64;
        };
        match question {
            Question::Prefix(text) | Question::Contains(text) => {
                literals.add(at, text, matches!(question, Question::Prefix(_)));
            }
            Question::Exact(text) => ask(&|name| name == text.as_bytes()),
            Question::Suffix(text) => ask(&|name| name.ends_with(text.as_bytes())),
            Question::Regex(pattern) => {
                if let Ok(regex) = Regex::new(pattern) {
                    ask(&|name| regex.is_match(name));
                }
            }
        }
    }
    for name in names {
        literals.in_name(name).into_iter().for_each(|at| yes[at] += 1);
    }
    let counted = questions.iter().zip(yes).filter(|(_, count)| *count > 0);
    counted.map(|(question, count)| (question.to_string(), count)).collect()
}

/// The literals that are asked for. There may be very many, so each part of a name that is as long as one of them is looked
/// up, whatever their number.
#[derive(Default)]
struct Literals<'a> {
    lengths: BTreeSet<usize>,
    /// By text: the questions that it answers, and whether only at the start of a name.
    questions: HashMap<&'a [u8], Vec<(usize, bool)>>,
}

impl<'a> Literals<'a> {
    fn add(&mut self, question: usize, text: &'a str, at_start: bool) {
        self.lengths.insert(text.len());
        self.questions.entry(text.as_bytes()).or_default().push((question, at_start));
    }

    /// The questions that a name answers with yes. A text that is empty is in every name.
    fn in_name(&self, name: &[u8]) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        for start in 0..=name.len() {
            for part in self.lengths.iter().map_while(|length| name.get(start..start + length)) {
                let asked = self.questions.get(part).into_iter().flatten();
                found.extend(asked.filter(|(_, at_start)| !at_start || start == 0).map(|(at, _)| *at));
            }
        }
        found
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, text) = match self {
            Self::Prefix(text) => ("prefix", text),
            Self::Exact(text) => ("equals", text),
            Self::Suffix(text) => ("suffix", text),
            Self::Contains(text) => ("sub", text),
            Self::Regex(pattern) => ("regex", pattern),
        };
        write!(f, "{word} {text}")
    }
}

impl fmt::Display for TrafficError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLine => f.write_str("no line of it is one that this relay would take"),
            Self::BadRegex(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TrafficError {}
